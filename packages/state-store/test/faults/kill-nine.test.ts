import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "@tooling/faults";
import { describe, expect, it } from "vitest";
import { commitOf, differences } from "./reference.ts";
import { openStore } from "./store-images.ts";
import { StoreWriter } from "./store-writer.ts";

const KILLS = 8;

describe("kill -9 of a process that writes a store", () => {
  it("loses no commit that was written, and leaves nothing that is taken for damage", async () => {
    const random = new Random();
    const parent = await mkdtemp(join(tmpdir(), "eos-faults-"));
    const folder = join(parent, "store");
    const found: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const behind = found.at(-1) ?? 0;
      const writer = new StoreWriter(folder, { beforeStop: behind + random.below(60), inAll: Number.MAX_SAFE_INTEGER });
      await writer.reached(behind + 1 + random.below(300));
      await writer.kill();
      const engine = await openStore(folder);
      const commit = commitOf(engine);
      // One more may have been written before the process could say so.
      expect([writer.committed, writer.committed + 1]).toContain(commit);
      expect(await differences(engine)).toEqual([]);
      await engine.close();
      found.push(commit);
    }
    await rm(parent, { recursive: true });
    console.log(`kills: EOS_SEED=${random.seed}, found at commits ${found.join(", ")}`);
  });
});

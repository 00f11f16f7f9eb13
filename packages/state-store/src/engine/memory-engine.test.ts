import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@eos/core";
import { expect, it } from "vitest";
import { commit, describeEngine, drain, write } from "../../test/engine-suite.ts";
import { openLevelEngine } from "./level-engine.ts";
import { openMemoryEngine } from "./memory-engine.ts";
import type { EngineEntry } from "./store-engine.ts";

const options = { name: "memory", identity: "of the test", logger: silentLogger, clock: systemClock };

describeEngine("a store in memory", async () => {
  const engine = await openMemoryEngine(options);
  return { engine, dispose: () => engine.close() };
});

it("a snapshot of a store in memory is a store on disk", async () => {
  const parent = await mkdtemp(join(tmpdir(), "eos-engine-"));
  try {
    const engine = await openMemoryEngine(options);
    const keys = Array.from({ length: 3_000 }, (_, i) => `\x01${String(i).padStart(5, "0")}`);
    await commit(
      engine,
      keys.map((key) => write(key, key.repeat(100))),
    );
    const expected = (await drain(engine.iterate({}, "forward"))).map(textsOf);
    await engine.snapshot(join(parent, "snapshot"));
    await engine.close();
    expect(await readdir(parent)).toEqual(["snapshot"]);

    await expect(
      openLevelEngine({ ...options, identity: "another", folder: join(parent, "snapshot") }),
    ).rejects.toThrow('it is of "of the test", not of "another"');
    const copy = await openLevelEngine({ ...options, folder: join(parent, "snapshot") });
    const copied = (await drain(copy.iterate({}, "forward"))).map(textsOf);
    const { position } = copy;
    await copy.close();
    expect(copied).toEqual(expected);
    expect(position).toMatchObject({ changelogOffset: 0, streamTime: 0 });
  } finally {
    await rm(parent, { recursive: true });
  }
});

function textsOf({ key, value }: EngineEntry): string {
  return `${key.toString("latin1")}=${value.bytes().toString()}`;
}

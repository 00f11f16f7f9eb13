import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@eos/client";
import { Program } from "@tooling/app-cli/testing";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";

const DEMO = new URL("../src/demo.ts", import.meta.url);
const { bootstrapServers, brokers } = testBroker();

/** Processes are found by a mark in their environment. */
const canSeeEnvironments = process.platform === "linux";

describe("the demo", () => {
  it("finds every flight arrived and counted exactly once after the crashes, and takes its topics away from a foreign cluster", async () => {
    await using demo = new Program(DEMO, ["--records", "2000"], { KAFKA_BROKERS: bootstrapServers });
    const { exitCode, stdout, stderr } = await demo.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const [state, flights] = stdout.trimEnd().split("\n").slice(-2);
    expect(state).toMatch(/^STATE OK routes=\d{3} rows=2000 store=changelog=recomputed$/);
    expect(flights).toBe("EXACTLY-ONCE OK in=2000 out=2000 lost=0 duplicated=0");
    expect(stdout).toMatch(/flights-enriched-[0-9a-f]{8}-\d: offsets \d+ to \d+: written, not committed/);
    expect(stdout).toMatch(/processor 1 \(pid \d+\) is frozen \(SIGSTOP\)/);
    expect(stdout).toMatch(/route-totals \(pid \d+\) is frozen \(SIGSTOP\)/);
    expect(stdout).toMatch(/[1-9]\d* rows and [1-9]\d* changes of its store: written, not committed/);
    expect(stdout.match(/it is killed \(SIGKILL\) in that state/g)).toHaveLength(2);
    expect(stdout).toMatch(/[1-9]\d* routes in 8 partitions, \d+ records replayed \(of [\d,]+ offsets\)/);
    expect(stdout).toContain("routes in LevelDB, 0 records replayed to open it");
    const [suffix = ""] = /(?<=flights-enriched)-[0-9a-f]{8}/.exec(stdout) ?? [];
    await using client = createClient({ brokers });
    await client.connect();
    for (const name of ["flights", "flights-enriched", "route-totals"]) {
      await expect(client.admin.partitionCount(`${name}${suffix}`)).rejects.toThrow(suffix);
    }
    await expect(client.admin.partitionCount(`route-totals${suffix}-totals-changelog`)).rejects.toThrow(suffix);
  });

  it.skipIf(!canSeeEnvironments).each([
    ["the broker starts", "1 Kafka", "process"],
    ["the broker starts, in a terminal", "1 Kafka", "group"],
    ["the processors start", "2 Processors", "group"],
    ["a processor is frozen", "is frozen", "process"],
    ["the counting processor comes back", "is started again", "group"],
    ["LevelDB is opened", "8 State", "process"],
    ["the console consumer reads", "7 Check", "group"],
  ] as const)("leaves no process and no temporary folder after Ctrl-C while %s", async (_moment, text, target) => {
    await using traces = await createTraces();
    await using demo = new Program(DEMO, ["--records", "1000"], traces.environment);
    await demo.prints(text);
    expect(await traces.processes()).not.toEqual([]);
    if (target === "group") demo.signalGroup("SIGINT");
    else demo.signal("SIGINT");
    expect(await demo.ended).toMatchObject({ exitCode: 130, stderr: "" });
    expect(await traces.processes()).toEqual([]);
    expect(await traces.files()).toEqual([]);
  });

  it.skipIf(!canSeeEnvironments)(
    "leaves nothing behind either when it is killed while a processor is frozen",
    async () => {
      await using traces = await createTraces();
      await using demo = new Program(DEMO, ["--records", "1000"], traces.environment);
      await demo.prints("is frozen");
      demo.signal("SIGKILL");
      await demo.ended;
      await expect.poll(traces.processes, { timeout: 20_000 }).toEqual([]);
      await expect.poll(traces.files, { timeout: 20_000 }).toEqual([]);
    },
  );

  it("refuses an unknown option with exit code 2 and tells of --help", async () => {
    await using demo = new Program(DEMO, ["--al"]);
    expect(await demo.ended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining('mean "all"?') });
    await using help = new Program(DEMO, ["--help"]);
    expect(await help.ended).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringContaining("--records") });
  });

  it("says that nobody answers at KAFKA_BROKERS, and ends with exit code 1", async () => {
    await using demo = new Program(DEMO, [], { KAFKA_BROKERS: "127.0.0.1:1" });
    const { exitCode, stderr } = await demo.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^\ndemo: EOS_BROKER_UNAVAILABLE: KAFKA_BROKERS is set to 127\.0\.0\.1:1[^]* — .+\n$/);
  });
});

interface Traces extends AsyncDisposable {
  /** Marks what runs with it, and keeps its temporary files together. */
  readonly environment: { readonly [name: string]: string };
  /** Command lines of the marked processes, whoever started them. */
  readonly processes: () => Promise<string[]>;
  readonly files: () => Promise<string[]>;
}

async function createTraces(): Promise<Traces> {
  const mark = uniqueName("mark");
  const folder = await mkdtemp(join(tmpdir(), "flight-delays-demo-"));
  return {
    environment: { KAFKA_BROKERS: "", TMPDIR: folder, TSX_DISABLE_CACHE: "1", FLIGHT_DELAYS_TEST: mark },
    processes: () => processesWith(mark),
    files: () => readdir(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function processesWith(mark: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [environment = "", command = ""] = await Promise.all(
        ["environ", "cmdline"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
      );
      return environment.includes(mark) ? [`${pid} ${command.replaceAll("\0", " ")}`] : [];
    }),
  );
  return found.flat();
}

import { setTimeout as sleep } from "node:timers/promises";
import { copies, CopyRun } from "../copy-run.ts";
import { load } from "../instruments.ts";
import type { Bench, Column, Figures, Job } from "../job.ts";
import { watchProgress } from "../progress.ts";
import type { Rival } from "../rival.ts";

const RECORDS = 10_000;
const SETTLE_MS = 5_000;

const columns: readonly Column[] = [
  { figure: "cpuMsPerSecond", title: "CPU ms/s", digits: 2 },
  { figure: "brokerCpuMsPerSecond", title: "broker CPU ms/s", digits: 2 },
  { figure: "peakRssMegabytes", title: "peak RSS MB", digits: 0 },
];

/** What a copy costs that has done its input and waits for more. */
export const idleJob: Job = {
  describe: ({ seconds, partitions, commitIntervalMs }) =>
    `${seconds} s, commit interval ${commitIntervalMs} ms, ${partitions} partitions`,
  columns,
  isDoneBy: (rival, { serde }) => copies(rival, serde),
  remarkOn: ({ copyRemark }) => copyRemark,
  setUp: async (bench) => {
    const { broker, settings } = bench;
    const input = await broker.createTopic("input", settings.partitions);
    await load(broker.bootstrapServers, input, RECORDS, settings.serde, bench.logFile("load"));
    return {
      notes: [`From ${SETTLE_MS / 1000} s after the last of ${RECORDS} records was committed.`],
      warmUp: async () => {},
      measure: async (rival, round) => idle(bench, rival, input, `round-${round}`),
    };
  },
};

async function idle(bench: Bench, rival: Rival, input: string, label: string): Promise<Figures> {
  const { broker, settings } = bench;
  await using run = await CopyRun.start(bench, rival, input, label);
  await watchProgress(run.program, broker, RECORDS, () => broker.committedOffsets(run.group, input));
  await sleep(SETTLE_MS);
  const startedAtMs = performance.now();
  const before = { rival: run.program.usage().cpuSeconds, broker: broker.cpuSeconds() };
  await sleep(settings.seconds * 1000);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const usage = run.program.usage();
  const brokerCpuSeconds = broker.cpuSeconds() - before.broker;
  if (run.program.hasEnded) throw run.program.failed("ended while it was idle");
  await run.program.stop();
  return {
    cpuMsPerSecond: ((usage.cpuSeconds - before.rival) * 1000) / seconds,
    brokerCpuMsPerSecond: (brokerCpuSeconds * 1000) / seconds,
    peakRssMegabytes: usage.peakRssMegabytes,
  };
}

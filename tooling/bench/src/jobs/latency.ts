import { setTimeout as sleep } from "node:timers/promises";
import { copies, CopyRun } from "../copy-run.ts";
import { instrument } from "../java-program.ts";
import type { Bench, Column, Figures, Job } from "../job.ts";
import type { Rival } from "../rival.ts";
import { RunningProgram } from "../running-program.ts";

const POLL_MS = 20;

interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

const columns: readonly Column[] = [
  { figure: "p50", title: "p50 ms", digits: 1 },
  { figure: "p90", title: "p90 ms", digits: 1 },
  { figure: "p99", title: "p99 ms", digits: 1 },
  { figure: "max", title: "max ms", digits: 1 },
  { figure: "cores", title: "cores", digits: 3 },
  { figure: "brokerCores", title: "broker cores", digits: 3 },
  { figure: "peakRssMegabytes", title: "peak RSS MB", digits: 0 },
];

/** From a record's send to its read-committed arrival behind the copy, at a steady low rate, taken on one clock. */
export const latencyJob: Job = {
  describe: ({ rate, commitIntervalMs, partitions, seconds }) =>
    `${rate} records/s for ${seconds} s, commit interval ${commitIntervalMs} ms, ${partitions} partitions`,
  columns,
  isDoneBy: (rival, { serde }) => copies(rival, serde),
  remarkOn: ({ copyRemark }) => copyRemark,
  setUp: async (bench) => {
    const direct = await withoutCopy(bench);
    return {
      notes: [`Without a copy in between the instrument itself reads p50 ${direct.p50} ms, p99 ${direct.p99} ms.`],
      warmUp: async () => {},
      measure: async (rival, round) => measure(bench, rival, `round-${round}`),
    };
  },
};

async function withoutCopy(bench: Bench): Promise<Percentiles> {
  const topic = await bench.broker.createTopic("direct", bench.settings.partitions);
  const program = await startInstrument(bench, topic, topic, "latency-direct");
  await program.finished();
  return program.lastJson() as Percentiles;
}

async function measure(bench: Bench, rival: Rival, label: string): Promise<Figures> {
  const { broker } = bench;
  const input = await broker.createTopic("input", bench.settings.partitions);
  await using run = await CopyRun.start(bench, rival, input, label);
  const latency = await startInstrument(bench, input, run.output, `latency-${rival.name}-${label}`);
  try {
    while (!latency.hasPrinted("measuring") && !latency.hasEnded) await sleep(POLL_MS);
    const startedAtMs = performance.now();
    const before = { rival: run.program.usage().cpuSeconds, broker: broker.cpuSeconds() };
    await latency.finished();
    const seconds = (performance.now() - startedAtMs) / 1000;
    const usage = run.program.usage();
    const brokerCpuSeconds = broker.cpuSeconds() - before.broker;
    if (run.program.hasEnded) throw run.program.failed("ended while its latency was measured");
    await run.program.stop();
    return {
      ...(latency.lastJson() as Percentiles),
      cores: (usage.cpuSeconds - before.rival) / seconds,
      brokerCores: brokerCpuSeconds / seconds,
      peakRssMegabytes: usage.peakRssMegabytes,
    };
  } finally {
    await latency.kill();
    await broker.deleteTopic(input);
  }
}

async function startInstrument(bench: Bench, input: string, output: string, label: string): Promise<RunningProgram> {
  const { rate, seconds, warmupSeconds } = bench.settings;
  const options = {
    bootstrap: bench.broker.bootstrapServers,
    input,
    output,
    rate,
    seconds,
    "warmup-seconds": warmupSeconds,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return new RunningProgram("Latency", await instrument("Latency", args), bench.logFile(label));
}

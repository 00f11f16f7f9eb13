import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { feed, load } from "../instruments.ts";
import type { Bench, Column, Figures, Job } from "../job.ts";
import { type MemorySample, type MemoryTrend, memoryTrend } from "../memory-trend.ts";
import type { Rival } from "../rival.ts";
import { RunningProgram } from "../running-program.ts";

const LOOK_MS = 1_000;
/** The bound of a partition's queue. */
const QUEUE_RECORDS = 1_000;
const FLAT = 1.1;

const columns: readonly (Column & { readonly figure: keyof MemoryTrend })[] = [
  { figure: "growth", title: "last ÷ first RSS", digits: 3 },
  { figure: "firstRssMegabytes", title: "first RSS MB", digits: 1 },
  { figure: "lastRssMegabytes", title: "last RSS MB", digits: 1 },
  { figure: "slopeMegabytesPerMinute", title: "slope MB/min", digits: 2 },
  { figure: "firstHeapMegabytes", title: "first heap MB", digits: 1 },
  { figure: "lastHeapMegabytes", title: "last heap MB", digits: 1 },
  { figure: "maxBuffersMegabytes", title: "max buffers MB", digits: 1 },
  { figure: "recordsPerSecond", title: "records/s", digits: 0 },
];

/** Whether memory stays what it was while partitions with full queues are paused and resumed. */
export const pauseMemoryJob: Job = {
  defaults: { rate: 10_000, seconds: 600, warmupSeconds: 60, rounds: 1 },
  describe: ({ records, rate, partitions, seconds, warmupSeconds }) =>
    `${seconds} s after ${warmupSeconds} s of warm-up, ${records.toLocaleString("en-US")} records and ${rate} more a second, ${partitions} partitions`,
  columns,
  isDoneBy: (rival) => rival.pauseMemory !== undefined,
  setUp: async (bench) => ({
    notes: [`Memory is flat when the last tenth's median RSS is at most ${FLAT} times the first tenth's.`],
    warmUp: async () => {},
    measure: async (rival, round) => pauseAndResume(bench, rival, `round-${round}`),
  }),
};

async function pauseAndResume(bench: Bench, rival: Rival, label: string): Promise<Figures> {
  const { broker, settings } = bench;
  const { records, partitions, rate, warmupSeconds } = settings;
  const { bootstrapServers } = broker;
  const topic = await broker.createTopic("input", partitions);
  await load(bootstrapServers, topic, records, "string", bench.logFile(`load-${rival.name}-${label}`));
  const group = `${rival.name}-${randomBytes(4).toString("hex")}`;
  const program = rival.pauseMemory?.({ bootstrapServers, group, topic, partitions, warmupSeconds });
  if (program === undefined) throw new Error(`${rival.name} has no program that pauses`);
  const input = await feed(bootstrapServers, topic, rate, records, bench.logFile(`feed-${rival.name}-${label}`));
  const running = new RunningProgram(rival.name, program, bench.logFile(`${rival.name}-${label}`));
  try {
    await watchBacklog(bench, [running, input], () => backlog(bench, group, topic));
    await running.stop();
    const handled = running.lastJson() as { records: number; violations: number };
    const committed = await broker.committedOffsets(group, topic);
    if (handled.records < committed || handled.violations > 0) {
      throw running.failed(
        `handled ${JSON.stringify(handled)} and committed ${committed} instead of each once and in order`,
      );
    }
    return { ...memoryTrend(running.allJson().filter((line) => isSample(line))) };
  } finally {
    await Promise.all([running.kill(), input.kill()]);
    await broker.deleteTopic(topic);
  }
}

/** @throws Error when a program ends, or when there was too little to keep the queues full: then they were not tried */
async function watchBacklog(
  { settings }: Bench,
  programs: readonly RunningProgram[],
  readBacklog: () => Promise<number>,
): Promise<void> {
  const untilMs = performance.now() + (settings.warmupSeconds + settings.seconds) * 1000;
  while (performance.now() < untilMs) {
    await sleep(LOOK_MS);
    const ended = programs.find((program) => program.hasEnded);
    if (ended !== undefined) throw ended.failed("ended early");
    const left = await readBacklog();
    if (left < QUEUE_RECORDS * settings.partitions) {
      throw new Error(`Only ${left} records are left, too few to keep the queues full: raise --rate or --records.`);
    }
  }
}

async function backlog({ broker }: Bench, group: string, topic: string): Promise<number> {
  return (await broker.endOffsets(topic)) - (await broker.committedOffsets(group, topic));
}

function isSample(line: unknown): line is MemorySample {
  return typeof line === "object" && line !== null && "rss" in line;
}

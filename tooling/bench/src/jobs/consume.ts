import { randomBytes } from "node:crypto";
import { load } from "../instruments.ts";
import type { Bench, Job } from "../job.ts";
import { type Progress, throughputOf, watchProgress } from "../progress.ts";
import type { Rival } from "../rival.ts";
import { RunningProgram } from "../running-program.ts";
import { describeThroughput, throughputColumns } from "../throughput-columns.ts";

interface Input {
  readonly topic: string;
  readonly records: number;
}

/** Plain consume: progress is the sum of the group's committed offsets. All rivals must have read the same characters. */
export const consumeJob: Job = {
  describe: describeThroughput,
  columns: throughputColumns,
  isDoneBy: (rival) => rival.consume !== undefined,
  setUp: async (bench) => {
    const warmup = await fill(bench, bench.settings.warmupRecords);
    const input = await fill(bench, bench.settings.records);
    const charactersByTopic = new Map<string, number>();
    return {
      notes: [],
      warmUp: async (rival) => {
        await consume(bench, rival, warmup, "warm-up", charactersByTopic);
      },
      measure: async (rival, round) => ({
        ...throughputOf(await consume(bench, rival, input, `round-${round}`, charactersByTopic)),
      }),
    };
  },
};

async function fill(bench: Bench, records: number): Promise<Input> {
  const { broker, settings } = bench;
  const topic = await broker.createTopic("input", settings.partitions);
  await load(broker.bootstrapServers, topic, records, settings.serde, bench.logFile(`load-${records}`));
  return { topic, records };
}

async function consume(
  bench: Bench,
  rival: Rival,
  { topic, records }: Input,
  label: string,
  charactersByTopic: Map<string, number>,
): Promise<Progress> {
  const { broker, settings } = bench;
  const group = `${rival.name}-${randomBytes(4).toString("hex")}`;
  const { bootstrapServers } = broker;
  const program = rival.consume?.({ bootstrapServers, group, topic, partitions: settings.partitions, records });
  if (program === undefined) throw new Error(`${rival.name} does not consume`);
  const running = new RunningProgram(rival.name, program, bench.logFile(`${rival.name}-${label}`));
  try {
    const progress = await watchProgress(running, broker, records, () => broker.committedOffsets(group, topic));
    await running.stop();
    const read = running.lastJson() as { records: number; characters: number };
    const expected = charactersByTopic.get(topic) ?? read.characters;
    charactersByTopic.set(topic, expected);
    if (read.records !== records || read.characters !== expected) {
      throw running.failed(`read ${JSON.stringify(read)} instead of ${records} records, ${expected} characters`);
    }
    return progress;
  } finally {
    await running.kill();
  }
}

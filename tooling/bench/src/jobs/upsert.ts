import { type Contents, loadUpserts } from "../instruments.ts";
import type { Bench, Job } from "../job.ts";
import { type Progress, throughputOf } from "../progress.ts";
import type { Rival } from "../rival.ts";
import { StoreApplication } from "../store-application.ts";
import { throughputColumns } from "../throughput-columns.ts";

interface Input {
  readonly topic: string;
  /** What a store of it holds. */
  readonly expected: Contents;
}

/** Records of a key each into a store with a changelog, exactly once: the input is there before the rival starts. */
export const upsertJob: Job = {
  describe: ({ records, partitions, commitIntervalMs }) =>
    `${records.toLocaleString("en-US")} keys with values of 100 bytes, ${partitions} partitions, transactions of ${commitIntervalMs} ms`,
  columns: throughputColumns,
  isDoneBy: (rival) => rival.store !== undefined,
  setUp: async (bench) => {
    const warmup = await fill(bench, bench.settings.warmupRecords);
    const input = await fill(bench, bench.settings.records);
    return {
      notes: [],
      warmUp: async (rival) => {
        await upsert(bench, rival, warmup, "warm-up");
      },
      measure: async (rival, round) => ({ ...throughputOf(await upsert(bench, rival, input, `round-${round}`)) }),
    };
  },
};

async function fill(bench: Bench, records: number): Promise<Input> {
  const { broker, settings } = bench;
  const topic = await broker.createTopic("input", settings.partitions);
  return {
    topic,
    expected: await loadUpserts(broker.bootstrapServers, topic, records, bench.logFile(`load-${records}`)),
  };
}

async function upsert(bench: Bench, rival: Rival, input: Input, label: string): Promise<Progress> {
  await using application = await StoreApplication.create(bench, rival, input.topic);
  // Without the await it would be disposed of at once.
  return await application.fill(input.expected, label);
}

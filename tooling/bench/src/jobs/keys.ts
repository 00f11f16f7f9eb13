import { randomBytes } from "node:crypto";
import { load } from "../instruments.ts";
import type { Bench, Job } from "../job.ts";
import { type Progress, throughputOf, watchProgress } from "../progress.ts";
import type { Rival } from "../rival.ts";
import { RunningProgram } from "../running-program.ts";
import { throughputColumns } from "../throughput-columns.ts";

/** Who handles so many records at a time gets all of `--records`. */
const FULL_CONCURRENCY = 256;

/** An asynchronous handler of 1 ms over records of 1,000 keys: what handling keys beside each other gains. */
export const keysJob: Job = {
  describe: ({ records, partitions }) =>
    `a handler of 1 ms, ${records.toLocaleString("en-US")} records (for ${FULL_CONCURRENCY} at a time, else in proportion), 1,000 keys, ${partitions} partitions`,
  columns: throughputColumns,
  isDoneBy: (rival) => rival.keys !== undefined,
  setUp: async (bench) => {
    const inputs = new Map<number, string>();
    return {
      notes: [],
      warmUp: async (rival) => {
        await handle(bench, rival, bench.settings.warmupRecords, inputs, "warm-up");
      },
      measure: async (rival, round) => ({
        ...throughputOf(await handle(bench, rival, bench.settings.records, inputs, `round-${round}`)),
      }),
    };
  },
};

async function handle(
  bench: Bench,
  rival: Rival,
  allRecords: number,
  inputs: Map<number, string>,
  label: string,
): Promise<Progress> {
  if (rival.keys === undefined) throw new Error(`${rival.name} does not handle keys`);
  const { broker } = bench;
  const { bootstrapServers } = broker;
  const { concurrency } = rival.keys;
  const records = Math.ceil((allRecords * concurrency) / FULL_CONCURRENCY);
  const topic = inputs.get(records) ?? (await fill(bench, records));
  inputs.set(records, topic);
  const group = `${rival.name}-${randomBytes(4).toString("hex")}`;
  const program = rival.keys.program({ bootstrapServers, group, topic, concurrency });
  const running = new RunningProgram(rival.name, program, bench.logFile(`${rival.name}-${label}`));
  try {
    const progress = await watchProgress(running, broker, records, () => broker.committedOffsets(group, topic));
    await running.stop();
    const handled = running.lastJson() as { records: number; violations: number };
    if (handled.records !== records || handled.violations > 0) {
      throw running.failed(`handled ${JSON.stringify(handled)} instead of ${records} records, each once and in order`);
    }
    return progress;
  } finally {
    await running.kill();
  }
}

async function fill(bench: Bench, records: number): Promise<string> {
  const { broker, settings } = bench;
  const topic = await broker.createTopic("input", settings.partitions);
  await load(broker.bootstrapServers, topic, records, "string", bench.logFile(`load-${records}`));
  return topic;
}

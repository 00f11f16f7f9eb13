import type { Bench, Job } from "../job.ts";
import { type Progress, throughputOf, watchProgress } from "../progress.ts";
import type { Rival } from "../rival.ts";
import { RunningProgram } from "../running-program.ts";
import { describeThroughput, throughputColumns } from "../throughput-columns.ts";

/** Plain produce: progress is the sum of the topic's end offsets. */
export const produceJob: Job = {
  describe: describeThroughput,
  columns: throughputColumns,
  isDoneBy: (rival) => rival.produce !== undefined,
  setUp: async (bench) => ({
    notes: [],
    warmUp: async (rival) => {
      await produce(bench, rival, bench.settings.warmupRecords, "warm-up");
    },
    measure: async (rival, round) => ({
      ...throughputOf(await produce(bench, rival, bench.settings.records, `round-${round}`)),
    }),
  }),
};

async function produce(bench: Bench, rival: Rival, records: number, label: string): Promise<Progress> {
  const { broker, settings } = bench;
  const topic = await broker.createTopic(`${rival.name}-output`, settings.partitions);
  const program = rival.produce?.({ bootstrapServers: broker.bootstrapServers, topic, records });
  if (program === undefined) throw new Error(`${rival.name} does not produce`);
  const running = new RunningProgram(rival.name, program, bench.logFile(`${rival.name}-${label}`));
  try {
    const progress = await watchProgress(running, broker, records, () => broker.endOffsets(topic));
    await running.finished();
    const written = await broker.endOffsets(topic);
    if (written !== records) throw new Error(`${rival.name} wrote ${written} records instead of ${records}`);
    return progress;
  } finally {
    await running.kill();
    await broker.deleteTopic(topic);
  }
}

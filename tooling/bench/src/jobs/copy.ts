import { copies, CopyRun } from "../copy-run.ts";
import { type Contents, load, readBack } from "../instruments.ts";
import type { Bench, Job } from "../job.ts";
import { type Progress, throughputOf, watchProgress } from "../progress.ts";
import type { Rival } from "../rival.ts";
import { describeThroughput, throughputColumns } from "../throughput-columns.ts";

interface Input {
  readonly topic: string;
  /** What a correct copy holds. */
  readonly expected: Contents;
}

/** Exactly-once copy at full speed: the input is there before the rival starts. */
export const copyJob: Job = {
  describe: describeThroughput,
  columns: throughputColumns,
  isDoneBy: (rival, { serde }) => copies(rival, serde),
  remarkOn: ({ copyRemark }) => copyRemark,
  setUp: async (bench) => {
    const warmup = await fill(bench, bench.settings.warmupRecords);
    const input = await fill(bench, bench.settings.records);
    return {
      notes: [],
      warmUp: async (rival) => {
        await copy(bench, rival, warmup, "warm-up");
      },
      measure: async (rival, round) => ({ ...throughputOf(await copy(bench, rival, input, `round-${round}`)) }),
    };
  },
};

async function fill(bench: Bench, records: number): Promise<Input> {
  const { broker, settings } = bench;
  const topic = await broker.createTopic("input", settings.partitions);
  const log = bench.logFile(`load-${records}`);
  return { topic, expected: await load(broker.bootstrapServers, topic, records, settings.serde, log) };
}

async function copy(bench: Bench, rival: Rival, input: Input, label: string): Promise<Progress> {
  const { broker } = bench;
  await using run = await CopyRun.start(bench, rival, input.topic, label);
  const progress = await watchProgress(run.program, broker, input.expected.records, () =>
    broker.committedOffsets(run.group, input.topic),
  );
  await run.program.stop();
  const log = bench.logFile(`check-${rival.name}-${label}`);
  const copied = await readBack(broker.bootstrapServers, run.output, log);
  if (copied.records !== input.expected.records || copied.digest !== input.expected.digest) {
    throw new Error(
      `${rival.name} is not exactly once: its output holds ${copied.records} records with digest ${copied.digest}, ` +
        `a correct copy ${input.expected.records} with ${input.expected.digest}`,
    );
  }
  return progress;
}

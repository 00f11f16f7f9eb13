import { type Contents, loadUpserts } from "../instruments.ts";
import type { Column, Figures, Job } from "../job.ts";
import { StoreApplication } from "../store-application.ts";
import { watchRestore } from "../store-restore.ts";

const columns: readonly Column[] = [
  { figure: "recordsPerSecond", title: "records/s", digits: 0 },
  { figure: "cpuSecondsPerMillion", title: "CPU s/M", digits: 2 },
  { figure: "peakRssMegabytes", title: "peak RSS MB", digits: 0 },
  { figure: "restoreMs", title: "restore ms", digits: 0 },
  { figure: "ranAfterMs", title: "runs after ms", digits: 0 },
];

/** A whole store from its changelog, as after the loss of a machine. Everybody restores what it has written itself. */
export const restoreJob: Job = {
  describe: ({ records, partitions }) =>
    `a changelog of ${records.toLocaleString("en-US")} keys with values of 100 bytes, ${partitions} partitions`,
  columns,
  isDoneBy: (rival) => rival.store !== undefined,
  setUp: async (bench) => {
    const { broker, settings } = bench;
    const input = await broker.createTopic("input", settings.partitions);
    const expected = await loadUpserts(broker.bootstrapServers, input, settings.records, bench.logFile("load"));
    const applications = new Map<string, StoreApplication>();
    return {
      notes: [],
      warmUp: async (rival) => {
        const application = await StoreApplication.create(bench, rival, input);
        applications.set(rival.name, application);
        await application.fill(expected, "fill");
        await restore(application, expected, "warm-up");
      },
      measure: async (rival, round) => {
        const application = applications.get(rival.name);
        if (application === undefined) throw new Error(`${rival.name} has nothing to restore`);
        return restore(application, expected, `round-${round}`);
      },
    };
  },
};

async function restore(application: StoreApplication, expected: Contents, label: string): Promise<Figures> {
  await application.forgetState();
  return application.run(label, async (program) => {
    const startedAtMs = performance.now();
    const { report, cpuSeconds, ranAtMs } = await watchRestore(program);
    const { restored, restoreMs } = report;
    const { peakRssMegabytes } = program.usage();
    if (restored !== expected.records) throw program.failed(`restored ${restored} of ${expected.records} records`);
    await application.stop(program, expected);
    return {
      recordsPerSecond: (restored * 1000) / restoreMs,
      cpuSecondsPerMillion: (cpuSeconds * 1e6) / restored,
      peakRssMegabytes,
      restoreMs,
      ranAfterMs: ranAtMs - startedAtMs,
    };
  });
}

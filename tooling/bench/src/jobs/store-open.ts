import { setTimeout as sleep } from "node:timers/promises";
import { feed, loadUpserts, readLatest } from "../instruments.ts";
import type { Bench, Column, Figures, Job } from "../job.ts";
import type { Rival } from "../rival.ts";
import type { RunningProgram } from "../running-program.ts";
import { StoreApplication } from "../store-application.ts";
import { watchRestore } from "../store-restore.ts";

/** It is killed in the middle of its work. */
const WORKS_MS = 3_000;
const SETTLE_MS = 2_000;
const LOOK_MS = 5;

const columns: readonly Column[] = [
  { figure: "reopenMs", title: "assigned → runs ms", digits: 0 },
  { figure: "restored", title: "replayed", digits: 0 },
  { figure: "restoreMs", title: "restore ms", digits: 0 },
  { figure: "ranAfterMs", title: "runs after ms", digits: 0 },
  { figure: "rssMegabytes", title: "RSS MB", digits: 0 },
  { figure: "peakRssMegabytes", title: "peak RSS MB", digits: 0 },
];

/** What a store costs that is opened again by the machine on which its process was killed. */
export const storeOpenJob: Job = {
  defaults: { rate: 10_000 },
  describe: ({ records, partitions, rate }) =>
    `a store of ${records.toLocaleString("en-US")} keys with values of 100 bytes, ${partitions} partitions, after kill -9 at ${rate} records/s`,
  columns,
  isDoneBy: (rival) => rival.store !== undefined,
  setUp: async (bench) => {
    const applications = new Map<string, StoreApplication>();
    return {
      notes: [`RSS as it is ${SETTLE_MS / 1000} s after it runs.`],
      warmUp: async (rival) => {
        applications.set(rival.name, await fill(bench, rival));
      },
      measure: async (rival, round) => {
        const application = applications.get(rival.name);
        if (application === undefined) throw new Error(`${rival.name} has nothing to open`);
        return reopen(bench, application, `round-${round}`);
      },
    };
  },
};

async function fill(bench: Bench, rival: Rival): Promise<StoreApplication> {
  const { broker, settings } = bench;
  const { bootstrapServers } = broker;
  const input = await broker.createTopic(`${rival.name}-input`, settings.partitions);
  const log = bench.logFile(`load-${rival.name}`);
  const expected = await loadUpserts(bootstrapServers, input, settings.records, log);
  const application = await StoreApplication.create(bench, rival, input);
  await application.fill(expected, "fill");
  return application;
}

async function reopen(bench: Bench, application: StoreApplication, label: string): Promise<Figures> {
  const { broker } = bench;
  await application.run(`killed-${label}`, (program) => killAtWork(bench, application, program, label));
  return application.run(`reopen-${label}`, async (program) => {
    const startedAtMs = performance.now();
    const [assignedAtMs, { report, ranAtMs }] = await Promise.all([
      assigned(bench, application, program),
      watchRestore(program),
    ]);
    await sleep(SETTLE_MS);
    const { rssMegabytes, peakRssMegabytes } = program.usage();
    await application.watch(program, await broker.endOffsets(application.input));
    const expected = await readLatest(
      broker.bootstrapServers,
      application.input,
      application.logFile(`check-${label}`),
    );
    await application.stop(program, expected);
    return {
      reopenMs: ranAtMs - assignedAtMs,
      restored: report.restored,
      restoreMs: report.restoreMs,
      ranAfterMs: ranAtMs - startedAtMs,
      rssMegabytes,
      peakRssMegabytes,
    };
  });
}

/** Lets the program work on what is fed to it, and kills it in the middle. */
async function killAtWork(
  bench: Bench,
  application: StoreApplication,
  program: RunningProgram,
  label: string,
): Promise<void> {
  const { broker, settings } = bench;
  const { group, input } = application;
  await watchRestore(program);
  const from = await broker.endOffsets(input);
  const feeding = await feed(broker.bootstrapServers, input, settings.rate, from, application.logFile(`feed-${label}`));
  try {
    while ((await broker.committedOffsets(group, input)) <= from) {
      if (program.hasEnded) throw program.failed("ended before it had done anything");
      await sleep(LOOK_MS);
    }
    await sleep(WORKS_MS);
    if (program.hasEnded) throw program.failed("ended before it was killed");
    await program.kill();
    await feeding.stop();
  } finally {
    await feeding.kill();
  }
}

/** When the group has given out its partitions, as seen from outside. */
async function assigned({ broker }: Bench, { group }: StoreApplication, program: RunningProgram): Promise<number> {
  while ((await broker.settledMembers(group)) === 0) {
    if (program.hasEnded) throw program.failed("ended before it was assigned anything");
    await sleep(LOOK_MS);
  }
  return performance.now();
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@eos/client";
import { silentLogger } from "@eos/core";
import { describeReport, isTransactionHeld, KillCampaign, Random } from "@tooling/faults";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { expect, it } from "vitest";
import { AmountStream } from "../amount-stream.ts";
import { checkSums, isDone, readStore } from "../sum-check.ts";
import { type SumEvent, SumWorker } from "../sum-worker.ts";

const KILLS = 30;
const WORKERS = 2;
const DISKS = 2;
const PARTITIONS = 8;
const MIN_RECORDS = 50_000;
const RECORDS_PER_SECOND = 900;
const COMMIT_INTERVAL_MS = 200;
/** Kills fall between the beginning of a commit and its end, too: what is in LevelDB then must not be ahead of Kafka. */
const END_TXN_DELAY_MS = 70;
/** At so many kills, if nobody else works on the disk, a task's folder goes. */
const WIPE_EVERY = 2;
const DRAINED_WITHIN_MS = 30_000;

/** A task whose folder was deleted: what the next process on this disk restores of it has to begin at the beginning. */
interface Wipe {
  readonly stateDir: string;
  readonly partition: number;
  /** Workers that were started before. */
  readonly startedBefore: number;
}

// A process comes back on one disk or the other, as on two machines. So a task finds what the killed process has left,
// or a copy as old as its last stay there, or, where that was wiped, nothing.
it(
  "kill -9 at random moments leaves store, changelog and output as the committed input gives them, also where a store was wiped",
  { timeout: 300_000 },
  async () => {
    const { brokers, bootstrapServers } = testBroker();
    const random = new Random();
    const application = { applicationId: uniqueName("sums"), input: uniqueName("in"), output: uniqueName("out") };
    const { applicationId, input, output } = application;
    await using client = createClient({ brokers, logger: silentLogger });
    await client.connect();
    await client.admin.createTopics([
      { topic: input, partitions: PARTITIONS },
      { topic: output, partitions: PARTITIONS },
    ]);
    await using disks = await createDisks();
    await using stream = await AmountStream.start({
      brokers,
      topic: input,
      random,
      recordsPerSecond: RECORDS_PER_SECOND,
    });
    const wipes: Wipe[] = [];
    await using campaign = new KillCampaign<SumEvent, SumWorker>({
      random,
      kills: KILLS,
      workers: WORKERS,
      start: () =>
        new SumWorker({
          brokers,
          ...application,
          stateDir: disks.paths[random.below(DISKS)] as string,
          commitIntervalMs: COMMIT_INTERVAL_MS,
          sessionTimeoutMs: 1_000,
          heartbeatIntervalMs: 200,
          // Small batches leave early, so that a transaction is open at the broker for most of its life.
          maxBatchBytes: 400,
          endTxnDelayMs: END_TXN_DELAY_MS,
        }),
      isTransactionHeld: () => isTransactionHeld(client.admin, output, 2 * COMMIT_INTERVAL_MS),
      killed: async (victim, kill) => {
        const { stateDir, assigned } = victim;
        const partition = assigned[random.below(assigned.length)];
        // Somebody else on this disk might have taken it up already.
        const isAlone = campaign.alive.every((worker) => worker === victim || worker.stateDir !== stateDir);
        if (kill % WIPE_EVERY !== 0 || partition === undefined || !isAlone) return;
        await rm(join(stateDir, applicationId, `0_${partition}`), { recursive: true, force: true });
        wipes.push({ stateDir, partition, startedBefore: campaign.workers.length });
      },
    });
    const report = await campaign.run();
    await stream.reached(MIN_RECORDS);
    const written = await stream.stop();
    await expect.poll(() => isDone(client, application, PARTITIONS), { timeout: DRAINED_WITHIN_MS }).toBe(true);
    const owners = campaign.alive.flatMap(({ stateDir, assigned }) =>
      assigned.map((partition) => ({ stateDir, partition })),
    );
    await campaign.finish();

    const result = await checkSums(bootstrapServers, application);
    const place = { brokers, applicationId, partitions: PARTITIONS };
    const stores = await Promise.all(
      owners.map(({ stateDir, partition }) => readStore({ ...place, stateDir }, partition)),
    );
    const store = new Map(stores.flatMap(({ sums }) => [...sums]));
    const restores = campaign.workers.flatMap(({ events }) => events.filter(({ event }) => event === "restored"));
    const wiped = wipes.flatMap((wipe) => firstRestoreAfter(wipe, campaign.workers) ?? []);
    console.log(
      `kill -9 with LevelDB: seed=${random.seed} ${describeReport(report)} wipes=${wipes.length} restored=${wiped.length} ` +
        `restores=${restores.length} in=${result.inputs} out=${result.outputs} keys=${result.sums.size}`,
    );
    expect(result.wrongKeys).toEqual([]);
    expect(result).toMatchObject({ inputs: written, outputs: written });
    expect(result.changelog).toEqual(result.sums);
    expect(store).toEqual(result.sums);
    // What was closed cleanly lacks nothing: all of this was on the disk.
    expect(stores.map(({ replayed }) => replayed)).toEqual(owners.map(() => 0));
    expect(owners.map(({ partition }) => partition).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);

    // The copies on the other disk are old; rolled forward they are the same.
    for (const { stateDir, partition } of owners) {
      const other = disks.paths.find((path) => path !== stateDir) as string;
      const { sums } = await readStore({ ...place, stateDir: other }, partition);
      expect(sums, `the other copy of 0_${partition}`).toEqual(
        stores[owners.findIndex((o) => o.partition === partition)]?.sums,
      );
    }
    expect(wiped.map(({ startingOffset }) => startingOffset)).toEqual(wiped.map(() => 0));
    expect(wiped.length, "wiped stores that were restored").toBeGreaterThan(0);
    expect(report.open, "invalid: kills that hit an open transaction").toBeGreaterThanOrEqual(KILLS / 2);
  },
);

function firstRestoreAfter({ stateDir, partition, startedBefore }: Wipe, workers: readonly SumWorker[]) {
  for (const worker of workers.slice(startedBefore)) {
    const [restored] = worker.stateDir === stateDir ? worker.restoresOf(partition) : [];
    if (restored !== undefined) return restored;
  }
  return undefined;
}

async function createDisks(): Promise<AsyncDisposable & { readonly paths: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "kill-nine-state-"));
  return {
    paths: Array.from({ length: DISKS }, (_, disk) => join(folder, `disk-${disk}`)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

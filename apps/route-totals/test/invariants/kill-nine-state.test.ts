import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@eos/client";
import { silentLogger } from "@eos/core";
import { changelogTopicName } from "@eos/state-store";
import { describeReport, isTransactionHeld, KillCampaign, Random } from "@tooling/faults";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { expect, it } from "vitest";
import { AmountStream } from "../amount-stream.ts";
import { checkSums, isDone, readStore } from "../sum-check.ts";
import { type SumEvent, SumWorker } from "../sum-worker.ts";

const KILLS = 30;
const PLACES = 2;
const PARTITIONS = 8;
const MIN_RECORDS = 50_000;
const RECORDS_PER_SECOND = 900;
const COMMIT_INTERVAL_MS = 200;
/** Kills fall between the beginning of a commit and its end, too: what is in LevelDB then must not be ahead of Kafka. */
const END_TXN_DELAY_MS = 70;
/** So often a task's folder is gone when the next process comes to its place. */
const WIPE_EVERY = 5;
const DRAINED_WITHIN_MS = 30_000;

/** A task whose folder was deleted: what the next processes in this place restore of it has to begin at the beginning. */
interface Wipe {
  readonly stateDir: string;
  readonly partition: number;
  /** Workers that were started before. */
  readonly startedBefore: number;
}

// Each place has a state directory of its own, as two machines have: tasks come back to copies that are as old as their
// last stay, and to none where it was wiped.
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
    await using stateDirs = await createStateDirs();
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
      workers: PLACES,
      start: (place) =>
        new SumWorker({
          brokers,
          ...application,
          stateDir: stateDirs.paths[place] as string,
          commitIntervalMs: COMMIT_INTERVAL_MS,
          sessionTimeoutMs: 1_000,
          heartbeatIntervalMs: 200,
          // Small batches leave early, so that a transaction is open at the broker for most of its life.
          maxBatchBytes: 400,
          endTxnDelayMs: END_TXN_DELAY_MS,
        }),
      isTransactionHeld: () => isTransactionHeld(client.admin, output, 2 * COMMIT_INTERVAL_MS),
      killed: async ({ stateDir, assigned }, kill) => {
        const partition = assigned[random.below(assigned.length)];
        if (kill % WIPE_EVERY !== 0 || partition === undefined) return;
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

    // The copies that the other place has of the same tasks are old; rolled forward they are the same.
    for (const { stateDir, partition } of owners) {
      const other = stateDirs.paths.find((path) => path !== stateDir) as string;
      const { sums } = await readStore({ ...place, stateDir: other }, partition);
      expect(sums, `the other copy of 0_${partition}`).toEqual(
        stores[owners.findIndex((o) => o.partition === partition)]?.sums,
      );
    }
    const [earliest] = await client.admin.listOffsets(
      [{ topic: changelogTopicName(applicationId, "sums"), partition: 0 }],
      "earliest",
    );
    expect(wiped.map(({ startingOffset }) => startingOffset)).toEqual(wiped.map(() => earliest?.offset));
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

async function createStateDirs(): Promise<AsyncDisposable & { readonly paths: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "kill-nine-state-"));
  return {
    paths: Array.from({ length: PLACES }, (_, place) => join(folder, `place-${place}`)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { isTransactionHeld, Random } from "@tooling/faults";
import { describeAnomalies } from "@tooling/verify";
import { describe, expect, it } from "vitest";
import { checkCopy } from "../copy-run.ts";
import { CopyWorker } from "../copy-worker.ts";
import { InputStream } from "../input-stream.ts";
import { TestTopics } from "../test-topics.ts";

const ZOMBIES = 6;
const COMMIT_INTERVAL_MS = 200;

// Java's EosIntegrationTest lets an instance stall past its poll interval; here the whole process stands still, so that
// not even its heartbeats know that the group has gone on.
describe("a process that is frozen past its session timeout and wakes up again", () => {
  it.for(["process", "task"] as const)(
    "commits nothing more until it has joined anew, and nothing is lost or doubled (scope %s)",
    { timeout: 180_000 },
    async (producerScope) => {
      const random = new Random();
      await using topics = await TestTopics.create({ inputPartitions: 6, outputPartitions: 3 });
      const { client, brokers, input, output } = topics;
      await using stream = await InputStream.start({ brokers, topic: input, recordsPerSecond: 1_000 });
      const options = {
        ...topics.application,
        producerScope,
        commitIntervalMs: COMMIT_INTERVAL_MS,
        sessionTimeoutMs: 1_000,
        heartbeatIntervalMs: 200,
        maxBatchBytes: 400,
      };
      await using one = new CopyWorker(options);
      await using two = new CopyWorker(options);
      const workers = [one, two] as const;
      for (const worker of workers) await worker.waitFor(({ event }) => event === "committed");
      let open = 0;
      let zombieCommits = 0;
      for (let round = 0; round < ZOMBIES; round++) {
        const zombie = workers[round % 2] as CopyWorker;
        const other = workers[(round + 1) % 2] as CopyWorker;
        await zombie.waitFor((event) => event.event === "rebalanced" && event.assigned.length > 0);
        await sleep(random.below(1_000));
        const from = other.events.length;
        zombie.freeze();
        if (await isTransactionHeld(client.admin, output, 2 * COMMIT_INTERVAL_MS)) open++;
        // All of the partitions are the other's now, and it has committed some of them.
        await other.waitFor((event) => event.event === "rebalanced" && event.assigned.length === 6, { from });
        await other.waitFor(({ event }) => event === "committed", { from: other.events.length });
        const thawed = zombie.events.length;
        const thawedMs = Date.now();
        zombie.thaw();
        const rejoined = await zombie.waitFor((event) => event.event === "rebalanced" && event.assigned.length > 0, {
          from: thawed,
        });
        const until = zombie.events.indexOf(rejoined);
        // A commit that was begun before may have been answered while it stood still.
        zombieCommits += zombie.events
          .slice(thawed, until)
          .filter((event) => event.event === "committed" && event.atMs - event.durationMs > thawedMs).length;
        await zombie.waitFor(({ event }) => event === "committed", { from: until });
      }
      const written = await stream.stop();
      await topics.drained();
      for (const worker of workers) expect(await worker.terminate()).toBe(0);
      const result = await checkCopy(client, topics, { stranger: brokers.join(",") });
      const count = (name: "fenced" | "aborted" | "rebalanced") =>
        workers.reduce((sum, worker) => sum + worker.count(name), 0);
      console.log(
        `zombies (${producerScope}): seed=${random.seed} zombies=${ZOMBIES} open=${open} commits by zombies=${zombieCommits} ` +
          `fences=${count("fenced")} aborts=${count("aborted")} rebalances=${count("rebalanced")} in=${result.inputs} out=${result.outputs}`,
      );
      expect(describeAnomalies(result.anomalies)).toBe("");
      expect(result).toMatchObject({ inputs: written, outputs: written, wrongValues: [] });
      expect(zombieCommits).toBe(0);
      expect(open, "zombies that were frozen with an open transaction").toBeGreaterThanOrEqual(ZOMBIES / 2);
    },
  );
});

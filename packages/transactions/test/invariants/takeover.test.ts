import { setTimeout as sleep } from "node:timers/promises";
import { isTransactionHeld } from "@tooling/faults";
import { describeAnomalies } from "@tooling/verify";
import { describe, expect, it } from "vitest";
import { checkCopy, partitionsOf } from "../copy-run.ts";
import { CopyWorker } from "../copy-worker.ts";
import { InputStream } from "../input-stream.ts";
import { TestTopics } from "../test-topics.ts";

const SESSION_TIMEOUT_MS = 2_000;
const COMMIT_INTERVAL_MS = 200;
/** What is aimed at is a second; the rest is for machines that have other things to do. */
const ALLOWANCE_MS = 3_000;
const POLL_MS = 10;

/** Freezes the worker at a moment when it has a transaction open, kills it, and says when it was frozen. */
async function killWithOpenTransaction(topics: TestTopics, worker: CopyWorker): Promise<number> {
  for (;;) {
    worker.freeze();
    const frozenMs = performance.now();
    if (await isTransactionHeld(topics.client.admin, topics.output, 2 * COMMIT_INTERVAL_MS)) {
      await worker.kill();
      return frozenMs;
    }
    worker.thaw();
    await sleep(Math.random() * COMMIT_INTERVAL_MS);
  }
}

async function until(isSo: () => Promise<boolean>, limitMs: number): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${limitMs} ms`);
    await sleep(POLL_MS);
  }
}

describe.for(["process", "task"] as const)(
  "taking over from a process that was killed with an open transaction (scope %s)",
  (producerScope) => {
    it("does not wait for its transaction timeout of a minute", { timeout: 120_000 }, async () => {
      await using topics = await TestTopics.create({ inputPartitions: 4, outputPartitions: 4 });
      const { client, brokers, applicationId, input, output } = topics;
      await using stream = await InputStream.start({ brokers, topic: input, recordsPerSecond: 1_000 });
      const options = {
        ...topics.application,
        producerScope,
        commitIntervalMs: COMMIT_INTERVAL_MS,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        transactionTimeoutMs: 60_000,
        maxBatchBytes: 400,
      };
      await using survivor = new CopyWorker(options);
      await survivor.running();
      await using victim = new CopyWorker(options);
      await victim.waitFor((event) => event.event === "rebalanced" && event.assigned.length > 0);
      await victim.waitFor((event) => event.event === "committed");
      const orphans = victim.assigned.map((partition) => ({ topic: input, partition }));

      const frozenMs = await killWithOpenTransaction(topics, victim);
      const before = await client.admin.committedOffsets(applicationId, orphans, { requireStable: false });
      const outputs = await partitionsOf(client, output);
      const ends = await client.admin.listOffsets(outputs, "latest", "read_uncommitted");
      await until(async () => {
        const now = await client.admin.committedOffsets(applicationId, orphans, { requireStable: false });
        return before.every(
          ({ partition, offset }) => (now.find((c) => c.partition === partition)?.offset ?? -1) > offset,
        );
      }, 60_000);
      const processingMs = performance.now() - frozenMs;
      // What read-committed consumers wait for: the dead one's transaction has to be over in the outputs as well.
      await until(async () => {
        const stable = await client.admin.listOffsets(outputs, "latest", "read_committed");
        return ends.every(({ offset }, index) => (stable[index]?.offset ?? 0) >= offset);
      }, 60_000);
      const visibleMs = performance.now() - frozenMs;

      await stream.stop();
      await topics.drained();
      expect(await survivor.terminate()).toBe(0);
      const result = await checkCopy(client, topics, { stranger: brokers.join(",") });
      console.log(
        `takeover (${producerScope}): session timeout ${SESSION_TIMEOUT_MS} ms, processing again after ` +
          `${Math.round(processingMs)} ms, outputs visible after ${Math.round(visibleMs)} ms; in=${result.inputs} out=${result.outputs}`,
      );
      expect(describeAnomalies(result.anomalies)).toBe("");
      expect(visibleMs).toBeLessThan(SESSION_TIMEOUT_MS + ALLOWANCE_MS);
    });
  },
);

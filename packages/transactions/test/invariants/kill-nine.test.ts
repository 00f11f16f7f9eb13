import { describeReport, Random } from "@tooling/faults";
import { describeAnomalies } from "@tooling/verify";
import { describe, expect, it } from "vitest";
import { copyCampaign } from "../copy-campaign.ts";
import { checkCopy } from "../copy-run.ts";
import { InputStream } from "../input-stream.ts";
import { changelogSums } from "../sum-store.ts";
import { TestTopics } from "../test-topics.ts";

const KILLS = 20;
const MIN_RECORDS = 40_000;
const STORE_KILLS = 8;

// Kafka's own streams_eos_test kills three times; Jepsen's suites add the random moments and the open transactions.
describe("kill -9 at random moments", () => {
  it.for(["process", "task"] as const)(
    "loses and doubles nothing (scope %s)",
    { timeout: 240_000 },
    async (producerScope) => {
      const random = new Random();
      await using topics = await TestTopics.create({ inputPartitions: 8, outputPartitions: 4 });
      const { brokers, input } = topics;
      await using stream = await InputStream.start({ brokers, topic: input, recordsPerSecond: 1_500 });
      await using campaign = copyCampaign({
        client: topics.client,
        random,
        kills: KILLS,
        workers: 2,
        worker: {
          ...topics.application,
          producerScope,
          commitIntervalMs: 200,
          sessionTimeoutMs: 1_000,
          heartbeatIntervalMs: 200,
          // Small batches leave early, so that a transaction is open at the broker for most of its life.
          maxBatchBytes: 400,
        },
      });
      const report = await campaign.run();
      await stream.reached(MIN_RECORDS);
      const written = await stream.stop();
      await topics.drained(60_000);
      await campaign.finish();
      const result = await checkCopy(topics.client, topics, { stranger: topics.brokers.join(",") });
      console.log(
        `kill -9 (${producerScope}): seed=${random.seed} ${describeReport(report)} ` +
          `in=${result.inputs} out=${result.outputs} anomalies=${result.anomalies.length}`,
      );
      expect(describeAnomalies(result.anomalies)).toBe("");
      expect(result).toMatchObject({ inputs: written, outputs: written, wrongValues: [] });
      expect(report.open, "kills that hit an open transaction").toBeGreaterThanOrEqual(KILLS / 2);
    },
  );
});

// The store has nothing but its changelog to come back from, and each count is one more than the one before it.
describe("kill -9 of processes with a store", () => {
  it.for(["process", "task"] as const)(
    "loses and doubles nothing in the store (scope %s)",
    { timeout: 240_000 },
    async (producerScope) => {
      const random = new Random();
      await using topics = await TestTopics.create({ inputPartitions: 8, outputPartitions: 4 });
      const { brokers, input } = topics;
      await using stream = await InputStream.start({ brokers, topic: input, recordsPerSecond: 1_000 });
      await using campaign = copyCampaign({
        client: topics.client,
        random,
        kills: STORE_KILLS,
        workers: 2,
        worker: {
          ...topics.application,
          producerScope,
          store: "counts",
          commitIntervalMs: 200,
          sessionTimeoutMs: 1_000,
          heartbeatIntervalMs: 200,
          maxBatchBytes: 400,
        },
      });
      const report = await campaign.run();
      const written = await stream.stop();
      await topics.drained(60_000);
      await campaign.finish();
      const result = await checkCopy(topics.client, topics, "own");
      console.log(
        `kill -9 with a store (${producerScope}): seed=${random.seed} ${describeReport(report)} ` +
          `in=${result.inputs} out=${result.outputs} anomalies=${result.anomalies.length}`,
      );
      expect(describeAnomalies(result.anomalies)).toBe("");
      expect(result).toMatchObject({ inputs: written, outputs: written, wrongValues: [] });
      const counts = new Map<string, number[]>();
      for (const { key, headers } of await topics.read()) {
        const ofKey = counts.get(String(key)) ?? [];
        ofKey.push(Number(headers["eos-count"]));
        counts.set(String(key), ofKey);
      }
      for (const [key, ofKey] of counts) {
        expect(ofKey, `counts of ${key}`).toEqual(ofKey.map((_, index) => index + 1));
      }
      const lasts = new Map([...counts].map(([key, { length }]) => [key, length]));
      expect(await changelogSums(topics, "counts")).toEqual(lasts);
      expect(report.open, "kills that hit an open transaction").toBeGreaterThanOrEqual(STORE_KILLS / 2);
    },
  );
});

import { describeAnomalies } from "@tooling/verify";
import { describe, expect, it } from "vitest";
import { checkCopy } from "../copy-run.ts";
import { InputStream } from "../input-stream.ts";
import { describeReport, KillCampaign } from "../kill-campaign.ts";
import { Random } from "../random.ts";
import { TestTopics } from "../test-topics.ts";

const KILLS = 20;
const MIN_RECORDS = 40_000;

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
      await using campaign = new KillCampaign({
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

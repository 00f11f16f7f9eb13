import { describeReport, Random } from "@tooling/faults";
import { countAnomalies } from "@tooling/verify";
import { expect, it } from "vitest";
import { copyCampaign } from "../copy-campaign.ts";
import { checkCopy } from "../copy-run.ts";
import { InputStream } from "../input-stream.ts";
import { TestTopics } from "../test-topics.ts";

// The negative control: the same kills and the same check must find what exactly-once prevents, or they prove nothing.
it(
  "kill -9 under at_least_once doubles records, which the check sees, and loses none",
  { timeout: 180_000 },
  async () => {
    const random = new Random();
    await using topics = await TestTopics.create({ inputPartitions: 8, outputPartitions: 4 });
    const { brokers, input } = topics;
    await using stream = await InputStream.start({ brokers, topic: input, recordsPerSecond: 1_500 });
    await using campaign = copyCampaign({
      client: topics.client,
      random,
      kills: 5,
      workers: 2,
      worker: {
        ...topics.application,
        guarantee: "at_least_once",
        commitIntervalMs: 200,
        sessionTimeoutMs: 1_000,
        heartbeatIntervalMs: 200,
        maxBatchBytes: 400,
      },
    });
    const report = await campaign.run();
    await stream.stop();
    await topics.drained(60_000);
    await campaign.finish();
    const { inputs, outputs, anomalies } = await checkCopy(topics.client, topics, { stranger: brokers.join(",") });
    const duplicates = countAnomalies(anomalies, "duplicate");
    console.log(
      `kill -9 (at_least_once): seed=${random.seed} ${describeReport(report)} in=${inputs} out=${outputs} duplicated=${duplicates}`,
    );
    expect(duplicates).toBeGreaterThan(0);
    expect(countAnomalies(anomalies, "lost", "committed-beyond-output", "unseen", "phantom")).toBe(0);
  },
);

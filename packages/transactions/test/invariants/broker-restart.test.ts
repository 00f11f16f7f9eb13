import { setTimeout as sleep } from "node:timers/promises";
import { type KafkaNode, startKafka } from "@tooling/kafka";
import { describeAnomalies } from "@tooling/verify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkCopy } from "../copy-run.ts";
import { CopyWorker, type WorkerEvent } from "../copy-worker.ts";
import { InputStream } from "../input-stream.ts";
import { TestTopics } from "../test-topics.ts";

const PAUSE_MS = 5_000;
/** Within this time after its start everything is on its way back, and nothing is back yet. */
const RECOVERING_MS = 1_500;
let kafka: Awaited<ReturnType<typeof startKafka>>;
// Three nodes, each partition on all of them: the only replica of a partition takes its leadership with it, and Kafka 4.3.1
// leaves markers out for partitions that have no leader (see docs/exactly-once.md, "What is not promised").
beforeAll(async () => {
  kafka = await startKafka({ nodes: 3 });
}, 120_000);
afterAll(() => kafka.stop());

interface Outage {
  readonly name: string;
  readonly times: number;
  readonly happen: (node: KafkaNode) => Promise<void>;
}

const outages: readonly Outage[] = [
  {
    name: "killed (SIGKILL) and started again",
    times: 2,
    happen: async (node) => {
      await node.kill();
      await node.start();
    },
  },
  {
    name: "killed again while everybody recovers",
    times: 1,
    happen: async (node) => {
      await node.kill();
      await node.start();
      await sleep(Math.random() * RECOVERING_MS);
      await node.kill();
      await node.start();
    },
  },
  {
    name: `frozen for ${PAUSE_MS / 1_000} s`,
    times: 1,
    happen: async (node) => {
      node.pause();
      await sleep(PAUSE_MS);
      node.resume();
    },
  },
];

const cases = (["process", "task"] as const).flatMap((producerScope) =>
  outages.map((outage) => ({ ...outage, producerScope })),
);

interface Run extends Outage {
  readonly producerScope: "process" | "task";
}

async function run({ name, times, happen, producerScope }: Run): Promise<void> {
  const brokers = kafka.bootstrapServers.split(",");
  await using topics = await TestTopics.create({ brokers, inputPartitions: 4, outputPartitions: 2 });
  const { input } = topics;
  await using stream = await InputStream.start({ brokers, topic: input, recordsPerSecond: 1_000 });
  const options = {
    ...topics.application,
    producerScope,
    sessionTimeoutMs: 3_000,
    maxBatchBytes: 400,
  };
  await using one = new CopyWorker(options);
  await using two = new CopyWorker(options);
  const workers = [one, two];
  await Promise.all(workers.map((worker) => worker.waitFor(({ event }) => event === "committed")));
  const recoveriesMs: number[] = [];
  for (let time = 0; time < times; time++) {
    await sleep(500 + Math.random() * 500);
    await happen(kafka.nodes[Math.floor(Math.random() * kafka.nodes.length)] as KafkaNode);
    const upMs = Date.now();
    // A commit that was under way when the broker went down is answered before its worker has recovered.
    const isRecovered = (e: WorkerEvent): boolean => e.event === "committed" && e.atMs - e.durationMs > upMs;
    await Promise.all(workers.map((worker) => worker.waitFor(isRecovered)));
    recoveriesMs.push(Date.now() - upMs);
  }
  const written = await stream.stop();
  await topics.drained(40_000);
  for (const worker of workers) expect(await worker.terminate(), worker.log).toBe(0);
  const result = await checkCopy(topics.client, topics, { stranger: kafka.bootstrapServers });
  const count = (event: "fenced" | "aborted" | "rebalanced") =>
    workers.reduce((sum, worker) => sum + worker.count(event), 0);
  console.log(
    `broker ${name} (${producerScope}): outages=${times} recovered after ${recoveriesMs.join(", ")} ms ` +
      `fences=${count("fenced")} aborts=${count("aborted")} rebalances=${count("rebalanced")} in=${result.inputs} out=${result.outputs}`,
  );
  expect(describeAnomalies(result.anomalies)).toBe("");
  expect(result).toMatchObject({ inputs: written, outputs: written, wrongValues: [] });
}

// Kafka's own streams_broker_bounce asks this of at-least-once only.
describe("a broker", () => {
  it.for(cases)(
    "that is $name in the middle of a run costs no record and doubles none (scope $producerScope)",
    { timeout: 180_000 },
    run,
  );
});

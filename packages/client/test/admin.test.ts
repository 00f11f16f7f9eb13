import { type Logger, silentLogger } from "@eos/core";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Admin, createAdmin } from "../src/admin/admin.ts";
import { Cluster } from "../src/network/cluster.ts";
import { resolveClientOptions } from "../src/options.ts";
import { endTxn } from "../src/protocol/end-txn.ts";
import { initProducerId } from "../src/protocol/init-producer-id.ts";
import { offsetCommit } from "../src/protocol/offset-commit.ts";
import { produce } from "../src/protocol/produce.ts";
import { txnOffsetCommit } from "../src/protocol/txn-offset-commit.ts";
import { BatchBuffers } from "../src/records/batch-buffers.ts";
import { RecordBatchWriter } from "../src/records/record-batch-writer.ts";

const warnings: string[] = [];
const logger: Logger = { ...silentLogger, warn: (_, message) => void warnings.push(message) };
let cluster: Cluster;
let admin: Admin;

beforeAll(async () => {
  cluster = new Cluster(resolveClientOptions("createClient", { brokers: testBroker().brokers, logger }));
  await cluster.connect();
  admin = createAdmin(cluster, { logger });
});

afterAll(() => cluster.close());

async function createTopic(partitions = 1): Promise<string> {
  const topic = uniqueName("topic");
  await admin.createTopics([{ topic, partitions }]);
  return topic;
}

/** Writes one batch of `count` records with timestamps 1000, 2000 … */
async function write(
  topic: string,
  partition: number,
  count: number,
  producer: { transactionalId: string | null; producerId: bigint; producerEpoch: number },
): Promise<void> {
  const writer = new RecordBatchWriter(new BatchBuffers(), 1_024, 1_048_576);
  for (let i = 1; i <= count; i++) writer.append(i * 1_000, Buffer.from("k"), 0, 1, `v${i}`, null, 0, 0);
  const batch = writer.seal({
    ...producer,
    baseSequence: 0,
    transactional: producer.transactionalId !== null,
    codec: null,
  });
  const { leader } = (await cluster.topic(topic)).partitions[partition] ?? { leader: -1 };
  const response = await cluster.send(
    leader,
    produce({
      version: 12,
      transactionalId: producer.transactionalId,
      acks: -1,
      timeoutMs: 5_000,
      topics: [{ topic, partitions: [{ partition, batch }] }],
    }),
  );
  expect(response.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0 });
}

async function idempotent() {
  const response = await cluster.sendToAny(initProducerId({ transactionalId: null, transactionTimeoutMs: 1_000 }));
  return { transactionalId: null, producerId: response.producerId, producerEpoch: response.producerEpoch };
}

/** A producer that may begin a transaction: also the first thing that `fenceProducer` does to an id nobody has used. */
async function transactional(transactionalId: string) {
  await admin.fenceProducer(transactionalId);
  const coordinator = await cluster.coordinator("transaction", transactionalId);
  const { errorCode, producerId, producerEpoch } = await cluster.send(
    coordinator,
    initProducerId({ transactionalId, transactionTimeoutMs: 60_000 }),
  );
  expect(errorCode).toBe(0);
  return { transactionalId, producerId, producerEpoch };
}

describe("topics", () => {
  test("are created with partitions and configuration, and can be used at once", async () => {
    const topic = uniqueName("topic");
    await admin.createTopics([{ topic, partitions: 3, config: { "cleanup.policy": "compact" } }]);
    expect(await admin.partitionCount(topic)).toBe(3);
    const config = await admin.describeTopicConfig(topic);
    expect(config.get("cleanup.policy")).toBe("compact");
    expect(config.get("min.insync.replicas")).toMatch(/^\d+$/);
    await write(topic, 2, 1, await idempotent());
  });

  test("that exist already fail createTopics, and are left alone by ensureTopics", async () => {
    const topic = await createTopic(2);
    const again = [{ topic, partitions: 5 }];
    await expect(admin.createTopics(again)).rejects.toMatchObject({ kafkaName: "TOPIC_ALREADY_EXISTS" });
    await admin.ensureTopics(again);
    expect(await admin.partitionCount(topic)).toBe(2);
    await admin.ensureTopics([]);
  });

  test("with more replicas than there are brokers get as many as there are, and a warning", async () => {
    const topic = uniqueName("topic");
    warnings.length = 0;
    await admin.ensureTopics([{ topic, partitions: 1, replicationFactor: 7 }]);
    expect((await cluster.topic(topic)).partitions[0]?.replicas).toHaveLength(cluster.brokerCount);
    expect(warnings).toEqual(["Replication factor lowered to the number of brokers"]);
  });

  test("with a setting that brokers do not have are refused with the broker's own words", async () => {
    const topics = [{ topic: uniqueName("topic"), partitions: 1, config: { "no.such.setting": "1" } }];
    await expect(admin.createTopics(topics)).rejects.toMatchObject({
      kafkaName: "INVALID_CONFIG",
      message: expect.stringContaining("no.such.setting"),
    });
  });

  test("grow, and the new partitions can be used at once", async () => {
    const topic = await createTopic(1);
    await admin.createPartitions(topic, 3);
    expect(await admin.partitionCount(topic)).toBe(3);
    await write(topic, 2, 1, await idempotent());
    await expect(admin.createPartitions(topic, 2)).rejects.toMatchObject({ kafkaName: "INVALID_PARTITIONS" });
  });

  test("are deleted, and unknown from then on", async () => {
    const topic = await createTopic();
    await admin.deleteTopics([topic]);
    await expect(admin.partitionCount(topic)).rejects.toMatchObject({ code: "EOS_UNKNOWN_TOPIC" });
    await expect(admin.deleteTopics([topic])).rejects.toMatchObject({ code: "EOS_UNKNOWN_TOPIC" });
    await expect(admin.describeTopicConfig(topic)).rejects.toMatchObject({ code: "EOS_UNKNOWN_TOPIC" });
  });
});

describe("offsets of partitions", () => {
  test("are listed in the order asked for: first, end, and by timestamp", async () => {
    const topic = await createTopic(2);
    await write(topic, 1, 3, await idempotent());
    const partitions = [
      { topic, partition: 1 },
      { topic, partition: 0 },
    ];
    const offsets = async (spec: Parameters<Admin["listOffsets"]>[1]) =>
      (await admin.listOffsets(partitions, spec)).map(({ partition, offset }) => [partition, offset]);
    expect(await offsets("earliest")).toEqual([
      [1, 0],
      [0, 0],
    ]);
    expect(await offsets("latest")).toEqual([
      [1, 3],
      [0, 0],
    ]);
    expect(await offsets({ timestamp: 1_500 })).toEqual([
      [1, 1],
      [0, -1],
    ]);
    await expect(admin.listOffsets([{ topic: uniqueName("missing"), partition: 0 }], "latest")).rejects.toMatchObject({
      code: "EOS_UNKNOWN_TOPIC",
    });
    await expect(admin.listOffsets([{ topic, partition: 2 }], "latest")).rejects.toMatchObject({
      kafkaName: "UNKNOWN_TOPIC_OR_PARTITION",
    });
  });

  test("end for a committed reader where the first open transaction begins", async () => {
    const topic = await createTopic();
    const producer = await transactional(uniqueName("tx"));
    await write(topic, 0, 2, producer);
    const partitions = [{ topic, partition: 0 }];
    expect(await admin.listOffsets(partitions, "latest")).toEqual([{ topic, partition: 0, offset: 0 }]);
    expect(await admin.listOffsets(partitions, "latest", "read_uncommitted")).toEqual([
      { topic, partition: 0, offset: 2 },
    ]);
    await admin.fenceProducer(producer.transactionalId);
    expect(await admin.listOffsets(partitions, "latest")).toEqual([{ topic, partition: 0, offset: 3 }]);
  });
});

describe("offsets of groups", () => {
  test("come with their metadata; a partition without one is −1", async () => {
    const topic = await createTopic(2);
    const groupId = uniqueName("group");
    const commit = offsetCommit({
      groupId,
      generationId: -1,
      memberId: "",
      groupInstanceId: null,
      topics: [{ topic, partitions: [{ partition: 1, offset: 42, metadata: "m" }] }],
    });
    // The group's coordinator may still be loading.
    await expect
      .poll(async () => (await cluster.send(await cluster.coordinator("group", groupId), commit)).topics)
      .toEqual([{ topic, partitions: [{ partition: 1, errorCode: 0 }] }]);
    const committed = await admin.committedOffsets(groupId, [
      { topic, partition: 0 },
      { topic, partition: 1 },
    ]);
    expect(committed.toSorted((a, b) => a.partition - b.partition)).toEqual([
      { topic, partition: 0, offset: -1, metadata: "", errorCode: 0 },
      { topic, partition: 1, offset: 42, metadata: "m", errorCode: 0 },
    ]);
  });

  test("are unstable while a transaction holds a commit, and fencing its producer ends that", async () => {
    const topic = await createTopic();
    const groupId = uniqueName("group");
    const producer = await transactional(uniqueName("tx"));
    await cluster.send(
      await cluster.coordinator("group", groupId),
      txnOffsetCommit({
        ...producer,
        version: 5,
        groupId,
        generationId: -1,
        memberId: "",
        groupInstanceId: null,
        topics: [{ topic, partitions: [{ partition: 0, offset: 7, metadata: null }] }],
      }),
    );
    const partitions = [{ topic, partition: 0 }];
    expect(await admin.committedOffsets(groupId, partitions)).toMatchObject([{ errorCode: 88 }]);
    expect(await admin.committedOffsets(groupId, partitions, { requireStable: false })).toMatchObject([
      { offset: -1, errorCode: 0 },
    ]);

    await admin.fenceProducer(producer.transactionalId);
    await expect.poll(() => admin.committedOffsets(groupId, partitions)).toMatchObject([{ offset: -1, errorCode: 0 }]);
    const end = endTxn({ ...producer, version: 5, result: "commit" });
    const { errorCode } = await cluster.send(await cluster.coordinator("transaction", producer.transactionalId), end);
    expect(errorCode).toBe(90);
  });
});

test("a broker's setting is read by name", async () => {
  expect(await admin.brokerConfig("transaction.max.timeout.ms")).toBe("900000");
  expect(await admin.brokerConfig("no.such.setting")).toBeUndefined();
});

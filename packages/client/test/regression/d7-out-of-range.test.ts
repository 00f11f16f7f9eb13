import { type Client, OffsetOutOfRangeError } from "@eos/client";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, groupOffsets, noGeneration, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";

let client: Client;
/** Ten records, of which the first six have been deleted. */
let topic: string;

beforeAll(async () => {
  client = await connectClient();
  topic = await createTopic(client);
  const producer = await client.producer({ transactionalId: null });
  await producer.init();
  await append(producer, topic, ...Array.from({ length: 10 }, (_, i) => `m${i}`));
  await producer.commit([]);
  producer.close();
  const admin = stockKafka().admin();
  await admin.connect();
  // Without having asked for the topic before, it does not find it.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "6" }] });
  await admin.disconnect();
});

afterAll(async () => {
  await client?.close();
});

async function groupAt(offset: number): Promise<string> {
  const groupId = uniqueName("group");
  for (const offsets of groupOffsets(noGeneration(groupId), topic, offset)) await client.commitOffsets(offsets);
  return groupId;
}

async function committed(groupId: string): Promise<number | undefined> {
  return (await client.admin.committedOffsets(groupId, [{ topic, partition: 0 }]))[0]?.offset;
}

describe("D7: an offset that does not exist any more", () => {
  test("is an error of the reader, before and behind what there is.", { timeout: 10_000 }, async () => {
    await expect(readValues(client, topic, { from: 2 })).rejects.toThrow(OffsetOutOfRangeError);
    const beyond = client.readPartition({ topic, partition: 0, from: 11, to: 12 });
    await expect(beyond.next()).rejects.toThrow(OffsetOutOfRangeError);
    expect(await readValues(client, topic, { from: 6 })).toEqual(["m6", "m7", "m8", "m9"]);
  });

  test("stops the group's partition: nothing is delivered, and nothing is committed for the group.", async () => {
    const groupId = await groupAt(2);
    let delivered = 0;
    let fail = (_error: Error): void => {};
    const failed = new Promise<Error>((resolve) => {
      fail = resolve;
    });
    const consumer = client.groupConsumer({
      groupId,
      topics: [topic],
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 1_000,
      rebalanceTimeoutMs: 10_000,
      observer: {},
      onFetched: () => delivered++,
      onFetchError: (_queue, error) => fail(error),
      onFatal: fail,
      hooks: {
        onAssigned: async ([partition], generation) => {
          if (partition === undefined) return;
          consumer.fetch(partition, (await committed(groupId)) ?? -1, generation);
        },
        onRevoked: () => Promise.resolve(),
        onLost: () => Promise.resolve(),
      },
    });
    await consumer.start();
    const error = await failed;
    expect(error).toBeInstanceOf(OffsetOutOfRangeError);
    expect(error).toMatchObject({ topic, partition: 0, offset: 2, severity: "fatal" });
    await consumer.close();
    expect(delivered).toBe(0);
    expect(await committed(groupId)).toBe(2);
  });
});

describe("stock kafkajs", () => {
  test("jumps, and commits the jump for the group by itself.", async () => {
    const groupId = await groupAt(2);
    const consumer = stockKafka().consumer({ groupId, maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: false });
    await consumer.run({ autoCommit: false, eachMessage: () => Promise.resolve() });
    await expect.poll(() => committed(groupId), { interval: 50, timeout: 10_000 }).not.toBe(2);
    await consumer.disconnect();
  });
});

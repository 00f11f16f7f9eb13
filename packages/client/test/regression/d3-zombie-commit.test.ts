import { silentLogger } from "@eos/core";
import { type Client, type GroupConsumer, type GroupGeneration, isGroupFence } from "@eos/client";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, groupOffsets, readValues } from "./our-client.ts";
import { commitSentinel, sendText, stockKafka, stockReadValues, stockTransactionalProducer } from "./stock-kafkajs.ts";

let client: Client;
let input: string;
let groupId: string;
let members: GroupConsumer[];
/** The generation of the first member alone; over, since a second one joined. */
let stale: GroupGeneration;
let current: GroupGeneration;

function join(): { consumer: GroupConsumer; generation(): Promise<GroupGeneration> } {
  const generations: GroupGeneration[] = [];
  let waiting: ((generation: GroupGeneration) => void) | null = null;
  const consumer = client.groupConsumer({
    groupId,
    topics: [input],
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 50,
    rebalanceTimeoutMs: 10_000,
    observer: {},
    onFetched: () => {},
    onFetchError: () => {},
    onFatal: (error) => silentLogger.error({ error }, "fatal"),
    hooks: {
      onAssigned: (_partitions, generation) => {
        if (waiting === null) generations.push(generation);
        else waiting(generation);
        waiting = null;
        return Promise.resolve();
      },
      onRevoked: () => Promise.resolve(),
      onLost: () => Promise.resolve(),
    },
  });
  return {
    consumer,
    generation: () =>
      new Promise((resolve) => {
        const next = generations.shift();
        if (next === undefined) waiting = resolve;
        else resolve(next);
      }),
  };
}

beforeAll(async () => {
  client = await connectClient();
  input = await createTopic(client, { partitions: 2 });
  groupId = uniqueName("group");
  const first = join();
  await first.consumer.start();
  stale = await first.generation();
  const second = join();
  await second.consumer.start();
  current = await first.generation();
  members = [first.consumer, second.consumer];
  expect(current.generationId).toBeGreaterThan(stale.generationId);
}, 60_000);

async function committed(partition: number): Promise<number | undefined> {
  return (await client.admin.committedOffsets(groupId, [{ topic: input, partition }]))[0]?.offset;
}

afterAll(async () => {
  for (const member of members ?? []) await member.close();
  await client?.close();
});

describe.each([1, 2] as const)(
  "D3: a commit of a generation that is over (transaction version %d)",
  (transactionVersion) => {
    test("is refused inside a transaction, and nothing of it is visible.", async () => {
      const output = await createTopic(client);
      const producer = await client.producer({ transactionalId: uniqueName("tx"), transactionVersion });
      await producer.init();
      const commit = async (value: string, generation: GroupGeneration, offset: number): Promise<unknown> => {
        await append(producer, output, value);
        return await producer.commit(groupOffsets(generation, input, offset)).catch(async (error: unknown) => {
          await producer.abort();
          return error;
        });
      };
      expect(isGroupFence(await commit("stale", stale, 3))).toBe(true);
      expect(isGroupFence(await commit("ghost", { ...current, memberId: "ghost" }, 4))).toBe(true);
      await commit("current", current, transactionVersion);
      producer.close();
      expect(await readValues(client, output)).toEqual(["current"]);
      await expect.poll(() => committed(0), { interval: 20 }).toBe(transactionVersion);
    });
  },
);

describe("D3: a commit of a generation that is over", () => {
  test("is refused outside a transaction.", async () => {
    for (const offsets of groupOffsets(stale, input, 9)) {
      const refused: unknown = await client.commitOffsets(offsets).catch((error: unknown) => error);
      expect(isGroupFence(refused)).toBe(true);
    }
  });
});

describe("stock kafkajs", () => {
  test("commits a zombie's offsets: it sends no generation.", async () => {
    const topic = await createTopic(client);
    const producer = await stockTransactionalProducer(stockKafka());
    const transaction = await producer.transaction();
    await sendText(transaction, topic, "zombie");
    await transaction.sendOffsets({
      consumerGroupId: groupId,
      topics: [{ topic: input, partitions: [{ partition: 1, offset: "7" }] }],
    });
    await transaction.commit();
    await commitSentinel(producer, topic);
    await producer.disconnect();
    expect(await stockReadValues(topic)).toEqual(["zombie"]);
    await expect.poll(() => committed(1), { interval: 20 }).toBe(7);
  });
});

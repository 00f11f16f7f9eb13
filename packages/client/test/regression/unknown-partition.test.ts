import { stringSerde } from "@eos/core";
import {
  type Client,
  createProducer,
  OutputPartition,
  TransactionAbortedError,
  UnknownPartitionError,
} from "@eos/client";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";

let client: Client;
let topic: string;

beforeAll(async () => {
  client = await connectClient();
  topic = await createTopic(client);
});

afterAll(async () => {
  await client?.close();
});

describe("A record for a partition that its topic does not have", () => {
  test("is refused by name, without a transaction and in one; nothing is dropped in silence.", async () => {
    await using producer = createProducer({ brokers: testBroker().brokers });
    await producer.start();
    const records = [{ value: "nowhere", partition: 99 }];
    await expect(producer.send({ topic, value: stringSerde, records })).rejects.toThrow(UnknownPartitionError);
    await expect(producer.send({ topic, value: stringSerde, records })).rejects.toThrow(/no partition 99: it has 1/);

    const transactional = await client.producer({ transactionalId: uniqueName("tx") });
    await transactional.init();
    await expect(append(transactional, topic, { value: "nowhere", partition: 1 })).rejects.toThrow(
      UnknownPartitionError,
    );
    transactional.close();
    expect(await readValues(client, topic)).toEqual([]);
  });

  test("fails its commit, should one get as far as that, and does not hold up the next.", async () => {
    const producer = await client.producer({ transactionalId: uniqueName("tx"), transactionTimeoutMs: 1_000 });
    await producer.init();
    const nowhere = new OutputPartition(topic, 99);
    producer.append(nowhere, Date.now(), Buffer.alloc(0), -1, -1, "nowhere", null, 0, 0);
    await append(producer, topic, "beside it");
    await expect(producer.commit([])).rejects.toThrow(TransactionAbortedError);
    // By now the broker may have ended the transaction by its timeout, and the epoch with it.
    await producer.abort().catch(() => producer.init());
    await append(producer, topic, "next");
    await producer.commit([]);
    producer.close();
    expect(await readValues(client, topic)).toEqual(["next"]);
  });
});

describe("stock kafkajs", () => {
  test("drops it and resolves.", async () => {
    const before = (await readValues(client, topic)).length;
    const producer = stockKafka().producer();
    await producer.connect();
    const metadata = await producer.send({ topic, messages: [{ value: "nowhere", partition: 99 }] });
    await producer.disconnect();
    expect(metadata).toEqual([]);
    expect(await readValues(client, topic)).toHaveLength(before);
  });
});

import { type Client, TransactionAbortedError } from "@eos/client";
import { FaultInjector } from "@tooling/faults";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";
import { commitSentinel, sendText, stockKafka, stockReadValues, stockTransactionalProducer } from "./stock-kafkajs.ts";

/** Two of these do not fit into one batch, so they are two sends. */
const [A, B, C] = ["A", "B", "C"].map((name) => name.padEnd(100, ".")) as [string, string, string];
const MAX_BATCH_BYTES = 250;

const faults = new FaultInjector();
let client: Client;

beforeAll(async () => {
  client = await connectClient({ socketFactory: faults.socketFactory, requestTimeoutMs: 1_000 });
});

afterAll(async () => {
  await client?.close();
});

describe.each(["drop", "hang-up"] as const)(
  "D5: several sends of which the first one's acknowledgement is lost (%s)",
  (action) => {
    test("fail together in a transaction, and are in the topic once and in order when it is repeated.", async () => {
      for (const transactionVersion of [1, 2] as const) {
        const topic = await createTopic(client);
        const producer = await client.producer({
          transactionalId: uniqueName("tx"),
          transactionVersion,
          maxBatchBytes: MAX_BATCH_BYTES,
        });
        await producer.init();
        const lost = faults.arm({ api: "Produce", on: "response", action });
        await append(producer, topic, A, B, C);
        await expect(producer.commit([])).rejects.toThrow(TransactionAbortedError);
        expect(lost.strikes).toBe(1);
        await producer.abort();
        await append(producer, topic, A, B, C);
        await producer.commit([]);
        producer.close();
        expect(await readValues(client, topic)).toEqual([A, B, C]);
      }
    });

    test("are repeated byte for byte without a transaction: the broker drops what it has, and all of them are there once.", async () => {
      const topic = await createTopic(client);
      const producer = await client.producer({ transactionalId: null, maxBatchBytes: MAX_BATCH_BYTES });
      await producer.init();
      const lost = faults.arm({ api: "Produce", on: "response", action });
      await append(producer, topic, A, B, C);
      await producer.commit([]);
      producer.close();
      expect(lost.strikes).toBe(1);
      expect(await readValues(client, topic)).toEqual([A, B, C]);
    });
  },
);

describe("stock kafkajs", () => {
  test("gives the second send the sequence of the first: one record is lost, the other is there twice, and everything resolved.", async () => {
    const topic = await createTopic(client);
    const stockFaults = new FaultInjector();
    const kafka = stockKafka({ socketFactory: stockFaults.socketFactory, requestTimeout: 1_000 });
    const producer = await stockTransactionalProducer(kafka);
    const transaction = await producer.transaction();
    const lost = stockFaults.arm({ api: "Produce", on: "response", action: "drop" });
    await Promise.all([sendText(transaction, topic, "A"), sendText(transaction, topic, "B")]);
    await transaction.commit();
    expect(lost.strikes).toBe(1);
    await commitSentinel(producer, topic);
    await producer.disconnect();
    const values = await stockReadValues(topic);
    expect(values).not.toEqual(["A", "B"]);
    expect(values).not.toEqual(["B", "A"]);
  });
});

import { type Client, TransactionAbortedError } from "@eos/client";
import { FaultInjector } from "@tooling/faults";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";
import { commitSentinel, sendText, stockKafka, stockReadValues, stockTransactionalProducer } from "./stock-kafkajs.ts";

const faults = new FaultInjector();
let client: Client;

beforeAll(async () => {
  client = await connectClient({ socketFactory: faults.socketFactory, requestTimeoutMs: 1_000 });
});

afterAll(async () => {
  await client?.close();
});

describe.each([1, 2] as const)("D6: a producer that goes on after an abort (version %d)", (transactionVersion) => {
  test("does not lose its next record, although the broker had the aborted one.", async () => {
    const topic = await createTopic(client);
    const producer = await client.producer({ transactionalId: uniqueName("tx"), transactionVersion });
    await producer.init();
    const lost = faults.arm({ api: "Produce", on: "response", action: "hang-up" });
    await append(producer, topic, "A");
    await expect(producer.commit([])).rejects.toThrow(TransactionAbortedError);
    expect(lost.strikes).toBe(1);
    await producer.abort();
    await append(producer, topic, "C");
    await producer.commit([]);
    producer.close();
    expect(await readValues(client, topic)).toEqual(["C"]);
    expect(await readValues(client, topic, { isolation: "read_uncommitted" })).toEqual(["A", "C"]);
  });

  test("is not reached by a Produce of the aborted transaction that comes late.", async () => {
    const topic = await createTopic(client);
    const producer = await client.producer({ transactionalId: uniqueName("tx"), transactionVersion });
    await producer.init();
    const late = faults.arm({ api: "Produce", on: "request", action: "hold" });
    await append(producer, topic, "A");
    await expect(producer.commit([])).rejects.toThrow(TransactionAbortedError);
    await producer.abort();
    const ending = faults.arm({ api: "EndTxn", on: "request", action: "hold" });
    await append(producer, topic, "C");
    const committed = producer.commit([]);
    // The next transaction is open, with C in it, when the frame that was stuck in the network arrives.
    await Promise.race([ending.struck, committed]);
    await late.release();
    await ending.release();
    await committed;
    producer.close();
    expect(await readValues(client, topic, { isolation: "read_uncommitted" })).toEqual(["C"]);
  });
});

/** It needs some of its own: right after an abort its first requests are refused as concurrent. */
const RETRIES = 3;

describe("stock kafkajs", () => {
  test("loses the next record without a word.", async () => {
    const topic = await createTopic(client);
    const stockFaults = new FaultInjector();
    const producer = await stockTransactionalProducer(
      stockKafka({ socketFactory: stockFaults.socketFactory, requestTimeout: 500 }),
      { retry: { retries: RETRIES, initialRetryTime: 100 } },
    );
    let transaction = await producer.transaction();
    stockFaults.arm({ api: "Produce", on: "response", action: "drop", times: 1 + RETRIES });
    await expect(sendText(transaction, topic, "A")).rejects.toThrow();
    await transaction.abort();
    expect(await readValues(client, topic)).toEqual([]);
    transaction = await producer.transaction();
    await sendText(transaction, topic, "C");
    await transaction.commit();
    await producer.disconnect();
    const other = await stockTransactionalProducer(stockKafka());
    await commitSentinel(other, topic);
    await other.disconnect();
    expect(await stockReadValues(topic)).toEqual([]);
  });
});

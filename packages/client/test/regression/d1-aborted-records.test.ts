import type { Client } from "@eos/client";
import { uniqueName } from "@tooling/kafka/testing";
import type { Producer } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connectClient, createTopic, readValues } from "./our-client.ts";
import {
  commitSentinel,
  SENTINEL,
  sendText,
  stockKafka,
  stockReadValues,
  stockTransactionalProducer,
} from "./stock-kafkajs.ts";

let client: Client;
let a: Producer;
let b: Producer;
/** Two aborts that interleave: the one that began first ends last. */
let interleaved: string;
/** Key 00 00 00 00, Java's IntegerSerializer on 0, in an aborted transaction. */
let intKeyZero: string;
/** Two transactions are open before offset 2, and both abort. */
let midway: string;

/** An abort is answered before its marker is in the log, and the order of the markers matters here. */
async function untilEnd(topic: string, offset: number): Promise<void> {
  const end = async () =>
    (await client.admin.listOffsets([{ topic, partition: 0 }], "latest", "read_uncommitted"))[0]?.offset;
  await vi.waitFor(async () => expect(await end()).toBe(offset), { timeout: 10_000, interval: 10 });
}

beforeAll(async () => {
  client = await connectClient();
  const kafka = stockKafka();
  [a, b] = await Promise.all([stockTransactionalProducer(kafka), stockTransactionalProducer(kafka)]);
  [interleaved, intKeyZero, midway] = await Promise.all([
    createTopic(client),
    createTopic(client),
    createTopic(client),
  ]);

  let [ta, tb] = [await a.transaction(), await b.transaction()];
  await sendText(ta, interleaved, "A1");
  await sendText(tb, interleaved, "B1");
  await tb.abort();
  await untilEnd(interleaved, 3);
  await sendText(ta, interleaved, "A2");
  await ta.abort();
  await commitSentinel(a, interleaved);

  ta = await a.transaction();
  await ta.send({ topic: intKeyZero, messages: [{ key: Buffer.alloc(4), value: "key 0", partition: 0 }] });
  await sendText(ta, intKeyZero, "behind key 0");
  await ta.abort();
  await commitSentinel(a, intKeyZero);

  [ta, tb] = [await a.transaction(), await b.transaction()];
  await sendText(ta, midway, "A1");
  await sendText(tb, midway, "B1");
  await sendText(tb, midway, "B2");
  await ta.abort();
  await untilEnd(midway, 4);
  await tb.abort();
  await commitSentinel(a, midway);
}, 60_000);

afterAll(async () => {
  await Promise.all([client?.close(), a?.disconnect(), b?.disconnect()]);
});

describe("D1: aborted records", () => {
  test("of transactions whose aborts interleave are not delivered.", async () => {
    expect(await readValues(client, interleaved)).toEqual([SENTINEL]);
    expect(await readValues(client, interleaved, { isolation: "read_uncommitted" })).toEqual([
      "A1",
      "B1",
      "A2",
      SENTINEL,
    ]);
  });

  test("with a key that looks like an abort marker's are not delivered, nor what comes behind it.", async () => {
    expect(await readValues(client, intKeyZero)).toEqual([SENTINEL]);
  });

  test("are not delivered when the fetch begins in the middle of their transactions.", async () => {
    for (const from of [0, 1, 2, 3]) expect(await readValues(client, midway, { from })).toEqual([SENTINEL]);
  });
});

describe("stock kafkajs", () => {
  test("delivers aborted records in all three cases.", async () => {
    expect(await stockReadValues(interleaved)).toEqual(["A1"]);
    expect(await stockReadValues(intKeyZero)).toEqual(["key 0", "behind key 0"]);
    const groupId = uniqueName("stock-group");
    const admin = stockKafka().admin();
    await admin.connect();
    await admin.setOffsets({ groupId, topic: midway, partitions: [{ partition: 0, offset: "2" }] });
    await admin.disconnect();
    expect(await stockReadValues(midway, groupId)).toEqual(["B2"]);
  });
});

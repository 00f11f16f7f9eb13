import { createHeaders, type Headers } from "@eos/core";
import type { Client } from "@eos/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readRecords } from "./our-client.ts";
import { commitSentinel, stockKafka, stockRead, stockTransactionalProducer } from "./stock-kafkajs.ts";

let client: Client;
let topic: string;

/** Names that an ordinary object already has, names that say nothing, repeated ones, and values that are null or empty. */
const headers = (): Headers => {
  const map = createHeaders({
    constructor: "data",
    toString: "more data",
    hasOwnProperty: "and more",
    "": "no name",
    "ünïcödé ✓": "name",
    none: null,
    empty: "",
    twice: ["1", null, "2"],
    bytes: Buffer.of(0, 255, 128),
  });
  map["__proto__"] = Buffer.from("data");
  return map;
};

beforeAll(async () => {
  client = await connectClient();
  topic = await createTopic(client);
  const producer = await client.producer({ transactionalId: null });
  await producer.init();
  await append(producer, topic, { value: "ours", headers: headers() });
  await producer.commit([]);
  producer.close();
});

afterAll(async () => {
  await client?.close();
});

describe("Headers", () => {
  test("come back from the broker as they were written, whatever they are called.", async () => {
    const [record] = await readRecords(client, topic);
    expect(record?.headers).toEqual(headers());
    expect(Object.getPrototypeOf(record?.headers)).toBeNull();
    expect(Object.keys(record?.headers ?? {}).toSorted()).toEqual(Object.keys(headers()).toSorted());
    expect(String(record?.headers["__proto__"])).toBe("data");
    expect(String(record?.headers["constructor"])).toBe("data");
  });
});

describe("stock kafkajs", () => {
  test("mixes what objects inherit into them.", async () => {
    const producer = await stockTransactionalProducer(stockKafka());
    await commitSentinel(producer, topic);
    await producer.disconnect();
    const [message] = await stockRead(topic);
    expect(message?.headers?.["constructor"]).toEqual([expect.any(Function), Buffer.from("data")]);
  });
});

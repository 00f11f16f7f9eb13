import type { Client } from "@eos/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";
import { idleSecond, timersDuring } from "./timer-counter.ts";

let client: Client;
let topic: string;

beforeAll(async () => {
  client = await connectClient();
  topic = await createTopic(client);
});

afterAll(async () => {
  await client?.close();
});

describe("An idle connection", () => {
  test("sets no timers.", async () => {
    const producer = await client.producer({ transactionalId: null });
    await producer.init();
    await append(producer, topic, "a");
    await producer.commit([]);
    expect(await readValues(client, topic)).toEqual(["a"]);
    expect((await timersDuring(idleSecond())).count).toBeLessThan(5);
    producer.close();
  });
});

describe("stock kafkajs", () => {
  test("sets hundreds a second.", async () => {
    const producer = stockKafka().producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: "b" }] });
    expect((await timersDuring(idleSecond())).count).toBeGreaterThan(200);
    await producer.disconnect();
  });
});

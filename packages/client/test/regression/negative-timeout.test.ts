import type { Client } from "@eos/client";
import { FaultInjector } from "@tooling/faults";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";
import { idleSecond, timersDuring } from "./timer-counter.ts";

const THROTTLE_MS = 300;

const faults = new FaultInjector();
let client: Client;
let topic: string;

beforeAll(async () => {
  client = await connectClient({ socketFactory: faults.socketFactory });
  topic = await createTopic(client);
});

afterAll(async () => {
  await client?.close();
});

describe("A throttled connection", () => {
  test("is quiet for as long as the broker asked, and no timer has a negative timeout.", async () => {
    const producer = await client.producer({ transactionalId: null });
    await producer.init();
    const answeredAtMs: number[] = [];
    const throttled = faults.arm({
      api: "Produce",
      on: "response",
      times: 2,
      action: (payload) => {
        answeredAtMs.push(performance.now());
        // The throttle time comes last, before the tags.
        payload.writeInt32BE(THROTTLE_MS, payload.length - 5);
        return payload;
      },
    });
    const timers = await timersDuring(async () => {
      for (const value of ["a", "b", "c"]) {
        await append(producer, topic, value);
        await producer.commit([]);
      }
    });
    producer.close();
    expect(throttled.strikes).toBe(2);
    expect(timers.count).toBeGreaterThan(0);
    expect(timers.negative).toBe(0);
    expect((answeredAtMs[1] ?? 0) - (answeredAtMs[0] ?? 0)).toBeGreaterThanOrEqual(THROTTLE_MS - 10);
    expect(await readValues(client, topic)).toEqual(["a", "b", "c"]);
  });
});

describe("stock kafkajs", () => {
  test("sets timers with a negative timeout, which Node 24 warns about.", async () => {
    const producer = stockKafka().producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: "d" }] });
    expect((await timersDuring(idleSecond())).negative).toBeGreaterThan(0);
    await producer.disconnect();
  });
});

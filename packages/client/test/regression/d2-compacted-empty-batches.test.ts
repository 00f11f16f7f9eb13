import type { Client } from "@eos/client";
import { uniqueName } from "@tooling/kafka/testing";
import { ConfigResourceTypes } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectClient, createTopic, readRecords, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";

/** So that a segment of the smallest size there is (1 MiB) holds two records. */
const LARGE = "x".repeat(400_000);

let client: Client;
let topic: string;

const CONFIG = { "segment.bytes": "1048576", "min.cleanable.dirty.ratio": "0.001", "min.compaction.lag.ms": "0" };

// The cleaner keeps a producer's last batch, emptied, so that its sequence is not forgotten. Here the first segment holds two
// records of one producer with a key that another one writes anew: nothing but an empty batch remains of it.
beforeAll(async () => {
  client = await connectClient();
  topic = await createTopic(client, { config: CONFIG });
  const kafka = stockKafka();
  const [first, second] = [0, 1].map(() => kafka.producer({ idempotent: true, maxInFlightRequests: 1 }));
  if (first === undefined || second === undefined) throw new Error("no producers");
  await Promise.all([first.connect(), second.connect()]);
  for (const [producer, key] of [
    [first, "a"],
    [first, "a"],
    [second, "a"],
    [second, "b"],
    [second, "c"],
    [second, "d"],
    [second, "e"],
  ] as const) {
    await producer.send({ topic, messages: [{ key, value: key + LARGE, partition: 0 }] });
  }
  await Promise.all([first.disconnect(), second.disconnect()]);
  // Only now, so that all is compacted in one pass: a second one would put what is left of two segments into one.
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = Object.entries({ ...CONFIG, "cleanup.policy": "compact" }).map(([name, value]) => ({
    name,
    value,
  }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  });
  await admin.disconnect();
}, 60_000);

afterAll(async () => {
  await client?.close();
});

describe("D2: batches that compaction has emptied", () => {
  test("do not stop a reader: it goes on behind them.", async () => {
    // The cleaner runs when it runs; until then the first two records are still there.
    const offsets = async (): Promise<number[]> => {
      const records = await readRecords(client, topic, { signal: AbortSignal.timeout(5_000) });
      return records.map(({ offset }) => offset);
    };
    await expect.poll(offsets, { timeout: 20_000, interval: 500 }).toEqual([2, 3, 4, 5, 6]);
    expect((await readValues(client, topic, { from: 1 })).map((value) => value?.[0])).toEqual([
      "a",
      "b",
      "c",
      "d",
      "e",
    ]);
  });
});

describe("stock kafkajs", () => {
  test("asks for the first offset again and again, and never sees a record.", async () => {
    const consumer = stockKafka().consumer({ groupId: uniqueName("stock-group"), maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    let records = 0;
    let fetches = 0;
    const manyFetches = new Promise<void>((resolve) => {
      consumer.on(consumer.events.FETCH, () => {
        if (++fetches === 200) resolve();
      });
    });
    await consumer.run({
      autoCommit: false,
      eachMessage: () => {
        records++;
        return Promise.resolve();
      },
    });
    await manyFetches;
    await consumer.disconnect();
    expect(records).toBe(0);
  });
});

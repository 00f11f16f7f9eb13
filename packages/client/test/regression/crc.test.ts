import { type Client, CorruptRecordError } from "@eos/client";
import { type FaultAction, FaultInjector } from "@tooling/faults";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";

const VALUE = "a value that is damaged on its way";

const faults = new FaultInjector();
let client: Client;
let topic: string;

beforeAll(async () => {
  client = await connectClient({ socketFactory: faults.socketFactory });
  topic = await createTopic(client);
  const producer = await client.producer({ transactionalId: null });
  await producer.init();
  await append(producer, topic, VALUE);
  await producer.commit([]);
  producer.close();
});

afterAll(async () => {
  await client?.close();
});

/** Changes one bit in the middle of the record's value. */
const flipBit: FaultAction = (payload) => {
  const at = payload.indexOf(VALUE) + 3;
  payload.writeUInt8(payload.readUInt8(at) ^ 1, at);
  return payload;
};
const matching = ({ payload }: { readonly payload: Buffer }): boolean => payload.includes(VALUE);

describe("A byte that changed between the broker's log and here", () => {
  test("is noticed: the record is not delivered, and read whole when it comes undamaged.", async () => {
    const flipped = faults.arm({ api: "Fetch", on: "response", action: flipBit, matching });
    expect(await readValues(client, topic)).toEqual([VALUE]);
    expect(flipped.strikes).toBe(1);
  });

  test("ends the reading when it stays: then it is in the log.", async () => {
    const flipped = faults.arm({ api: "Fetch", on: "response", action: flipBit, matching, times: 4 });
    const error: unknown = await readValues(client, topic).catch((e: unknown) => e);
    expect(flipped.strikes).toBe(4);
    expect(error).toBeInstanceOf(CorruptRecordError);
    expect(error).toMatchObject({ topic, partition: 0, offset: 0, severity: "fatal" });
    expect(await readValues(client, topic)).toEqual([VALUE]);
  });
});

describe("stock kafkajs", () => {
  test("delivers it.", async () => {
    const stockFaults = new FaultInjector();
    stockFaults.arm({ api: "Fetch", on: "response", action: flipBit, matching });
    const consumer = stockKafka({ socketFactory: stockFaults.socketFactory }).consumer({
      groupId: uniqueName("stock-group"),
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const value = await new Promise<string | undefined>((resolve, reject) => {
      consumer
        .run({
          eachMessage: ({ message }) => {
            resolve(message.value?.toString());
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    expect(value).toBe("a v`lue that is damaged on its way");
  });
});

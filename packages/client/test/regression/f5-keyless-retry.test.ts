import { stringSerde } from "@eos/core";
import { type Client, createProducer } from "@eos/client";
import { FaultInjector, type InjectedFault } from "@tooling/faults";
import { testBroker } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ByteReader } from "../../src/protocol/byte-reader.ts";
import { connectClient, createTopic, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";

const VALUES = ["record a", "record b", "record c"];
const PARTITIONS = 4;
/** A partition that no topic has, and whose bytes are found again in the answer. */
const NOWHERE = 0x7eadbeef;
const FIRST_FLEXIBLE_PRODUCE = 9;

let client: Client;

beforeAll(async () => {
  client = await connectClient();
});

afterAll(async () => {
  await client?.close();
});

/**
 * Makes the broker refuse the partition that `value` is sent to with UNKNOWN_TOPIC_OR_PARTITION, once, as one does that has
 * just lost it: on the way there the partition has another number, which is undone on the way back.
 */
function refusePartitionOf(value: string, faults: FaultInjector): InjectedFault {
  let refused = -1;
  faults.arm({
    api: "Produce",
    on: "request",
    action: (payload, { apiVersion }) => {
      const at = partitionNumberAt(payload, apiVersion, value);
      refused = payload.readInt32BE(at);
      payload.writeInt32BE(NOWHERE, at);
      return payload;
    },
  });
  return faults.arm({
    api: "Produce",
    on: "response",
    action: (payload) => {
      const number = Buffer.alloc(4);
      number.writeInt32BE(NOWHERE);
      payload.writeInt32BE(refused, payload.indexOf(number));
      return payload;
    },
  });
}

/** Where in a Produce request, of one topic, the number of the partition stands whose records have `value` among them. */
function partitionNumberAt(payload: Buffer, apiVersion: number, value: string): number {
  const isFlexible = apiVersion >= FIRST_FLEXIBLE_PRODUCE;
  const reader = new ByteReader(payload);
  reader.skip(2 + 2 + 4);
  reader.nullableString();
  if (isFlexible) reader.skipTags().compactNullableString();
  else reader.nullableString();
  reader.skip(2 + 4);
  const [numbers] = isFlexible
    ? reader.compactArray((r) => {
        r.compactString();
        return r.compactArray((p) => {
          const at = p.position;
          p.int32();
          const records = p.compactBytes();
          p.skipTags();
          return { at, records };
        });
      })
    : reader.array((r) => {
        r.string();
        return r.array((p) => {
          const at = p.position;
          p.int32();
          return { at, records: p.bytes() };
        });
      });
  const found = numbers?.find(({ records }) => records?.includes(value));
  if (found === undefined) throw new Error(`${value} is not in this request`);
  return found.at;
}

async function everything(topic: string): Promise<(string | null)[]> {
  const partitions = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) => readValues(client, topic, { partition })),
  );
  return partitions.flat().toSorted((a, b) => (a ?? "").localeCompare(b ?? ""));
}

describe("F5: records without a key whose send is tried again", () => {
  test("stay in the partitions they were given, and are there once.", async () => {
    const topic = await createTopic(client, { partitions: PARTITIONS });
    const faults = new FaultInjector();
    await using producer = createProducer({ brokers: testBroker().brokers, socketFactory: faults.socketFactory });
    await producer.start();
    const produced = faults.record("Produce");
    const refused = refusePartitionOf("record c", faults);
    await producer.send({ topic, value: stringSerde, records: VALUES.map((value) => ({ value })) });
    expect(refused.strikes).toBe(1);
    expect(produced).toHaveLength(2);
    expect(await everything(topic)).toEqual(VALUES);
  });
});

describe("stock kafkajs", () => {
  test("deals them out anew: one of them is lost, another one is there twice, and send() resolved.", async () => {
    const topic = await createTopic(client, { partitions: PARTITIONS });
    const faults = new FaultInjector();
    const kafka = stockKafka({ socketFactory: faults.socketFactory });
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const refused = refusePartitionOf("record c", faults);
    await producer.send({ topic, messages: VALUES.map((value) => ({ value })) });
    await producer.disconnect();
    expect(refused.strikes).toBe(1);
    expect(await everything(topic)).toEqual(["record a", "record a", "record b"]);
  });
});

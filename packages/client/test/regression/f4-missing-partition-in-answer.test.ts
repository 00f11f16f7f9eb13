import { type Client, TransactionAbortedError } from "@eos/client";
import { type FaultAction, FaultInjector } from "@tooling/faults";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ByteReader } from "../../src/protocol/byte-reader.ts";
import { ByteWriter } from "../../src/protocol/byte-writer.ts";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";

const faults = new FaultInjector();
let client: Client;
let topic: string;

beforeAll(async () => {
  client = await connectClient({ socketFactory: faults.socketFactory });
  topic = await createTopic(client, { partitions: 2 });
});

afterAll(async () => {
  await client?.close();
});

/** A Produce answer (flexible versions, one topic) with its first partition only. */
const leaveOutSecondPartition: FaultAction = (payload) => {
  const reader = new ByteReader(payload);
  const correlationId = reader.int32();
  reader.skipTags();
  reader.uvarint();
  const name = reader.compactString();
  reader.uvarint();
  const start = reader.position;
  reader.skip(4 + 2 + 8 + 8 + 8);
  reader.compactArray((r) => {
    r.int32();
    r.compactNullableString();
    r.skipTags();
  });
  reader.compactNullableString();
  reader.skipTags();
  const first = payload.subarray(start, reader.position);
  return new ByteWriter()
    .int32(correlationId)
    .tags()
    .uvarint(2)
    .compactString(name)
    .uvarint(2)
    .raw(first)
    .tags()
    .int32(0)
    .tags()
    .finish();
};

/** The same in the version that kafkajs speaks, 7. */
const leaveOutSecondPartitionV7: FaultAction = (payload) => {
  const reader = new ByteReader(payload);
  reader.skip(4 + 4);
  reader.string();
  const countAt = reader.position;
  reader.skip(4 + 4 + 2 + 8 + 8 + 8);
  const shortened = Buffer.concat([payload.subarray(0, reader.position), Buffer.alloc(4)]);
  shortened.writeInt32BE(1, countAt);
  return shortened;
};

describe.each([1, 2] as const)(
  "F4: a Produce answer that leaves a partition out (version %d)",
  (transactionVersion) => {
    test("acknowledges nothing of it: the transaction fails and is repeated.", async () => {
      const producer = await client.producer({ transactionalId: uniqueName("tx"), transactionVersion });
      await producer.init();
      const before = (await readValues(client, topic, { partition: 1 })).length;
      const value = uniqueName("value");
      const appendBoth = () => append(producer, topic, { value, partition: 0 }, { value, partition: 1 });
      const shortened = faults.arm({ api: "Produce", on: "response", action: leaveOutSecondPartition });
      await appendBoth();
      const error: unknown = await producer.commit([]).catch((e: unknown) => e);
      expect(shortened.strikes).toBe(1);
      expect(error).toBeInstanceOf(TransactionAbortedError);
      expect((error as Error).message).toMatch(new RegExp(`Produce of ${topic}-[01]`));
      await producer.abort();
      await appendBoth();
      await producer.commit([]);
      producer.close();
      expect((await readValues(client, topic, { partition: 0 })).filter((v) => v === value)).toHaveLength(1);
      expect((await readValues(client, topic, { partition: 1 })).slice(before)).toEqual([value]);
    });
  },
);

describe("stock kafkajs", () => {
  test("takes it for an acknowledgement of everything.", async () => {
    const stockFaults = new FaultInjector();
    const producer = stockKafka({ socketFactory: stockFaults.socketFactory }).producer();
    await producer.connect();
    const shortened = stockFaults.arm({ api: "Produce", on: "response", action: leaveOutSecondPartitionV7 });
    const messages = [0, 1].map((partition) => ({ value: "x", partition }));
    const acknowledged = await producer.send({ topic, messages });
    await producer.disconnect();
    expect(shortened.strikes).toBe(1);
    expect(acknowledged).toHaveLength(1);
  });
});

import { createHeaders, silentLogger, stringSerde } from "@eos/core";
import { beforeEach, describe, expect, test } from "vitest";
import { FastClock } from "../fast-clock-fixture.ts";
import { BatchBuffers } from "../records/batch-buffers.ts";
import { partitionForKey } from "../records/partitioner.ts";
import { BatchProducer } from "./batch-producer.ts";
import { BrokerFixture, TOPIC } from "./broker-fixture.ts";
import { TransactionAbortedError, UnknownPartitionError } from "./producer-errors.ts";
import { RecordAppender } from "./record-appender.ts";
import { TransactionProtocol } from "./transaction-protocol.ts";

let broker: BrokerFixture;
let producer: BatchProducer;
let appender: RecordAppender;

beforeEach(async () => {
  broker = new BrokerFixture(3);
  const clock = new FastClock();
  const { cluster } = broker;
  producer = new BatchProducer({
    cluster,
    clock,
    buffers: new BatchBuffers(),
    protocol: new TransactionProtocol({
      cluster,
      clock,
      logger: silentLogger,
      transactionalId: "tx",
      transactionTimeoutMs: 10_000,
      transactionVersion: 2,
    }),
    maxBatchBytes: 200,
    codec: null,
    deliveryTimeoutMs: 10_000,
  });
  await producer.init();
  appender = new RecordAppender(producer);
});

const always = (): void => {};
const serdes = { topic: TOPIC, key: stringSerde, value: stringSerde };

describe("RecordAppender", () => {
  test("puts a record where its partition or its key says; keyless ones take turns.", async () => {
    const records = [
      { key: "k", value: "by key" },
      { value: "first turn" },
      { value: "second turn" },
      { key: "k", value: "told", partition: 2 },
    ];
    await appender.append({ ...serdes, records }, always);
    await producer.commit([]);
    const byKey = partitionForKey(Buffer.from("k"), 0, 1, 3);
    const expected: string[][] = [["first turn"], ["second turn"], ["told"]];
    expected[byKey]?.unshift("by key");
    expect([0, 1, 2].map((partition) => broker.committed(partition))).toEqual(expected);
  });

  test.each([3, -1, 0.5])(
    "refuses partition %d, which the topic does not have: nothing is dropped in silence.",
    async (partition) => {
      const records = [
        { value: "before", partition: 0 },
        { value: "nowhere", partition },
      ];
      await expect(appender.append({ ...serdes, records }, always)).rejects.toThrow(UnknownPartitionError);
      await producer.commit([]);
      expect([0, 1, 2].flatMap((p) => broker.committed(p))).toEqual(["before"]);
    },
  );

  test("stops waiting for room once the broker has refused what was sent.", async () => {
    broker.fate = (api) => (api === "Produce" ? 45 : "pass");
    const records = Array.from({ length: 500 }, () => ({
      value: "x".repeat(50),
      partition: 0,
      headers: createHeaders({ h: "1" }),
    }));
    await expect(appender.append({ ...serdes, records }, always)).rejects.toThrow(TransactionAbortedError);
    await expect(producer.commit([])).rejects.toThrow(TransactionAbortedError);
    await producer.abort();
    broker.fate = () => "pass";
    await appender.append({ ...serdes, records: [{ value: "again", partition: 0 }] }, always);
    await producer.commit([]);
    expect(broker.committed(0)).toEqual(["again"]);
  });

  test("asks before each record whether it may go on.", async () => {
    let left = 2;
    const mayGoOn = (): void => {
      if (left-- === 0) throw new TypeError("ended");
    };
    const records = ["a", "b", "c"].map((value) => ({ value, partition: 0 }));
    await expect(appender.append({ ...serdes, records }, mayGoOn)).rejects.toThrow("ended");
    await producer.commit([]);
    expect(broker.committed(0)).toEqual(["a", "b"]);
  });
});

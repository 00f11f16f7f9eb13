import { partitionForKey, type CodecName, type FetchedRecord } from "@eos/client";
import { createHeaders, stringSerde } from "@eos/core";
import { ExactlyOnceProcessor, type TransformResult } from "@eos/transactions";
import { describe, expect, it } from "vitest";
import { numbered, type TestRecord, TestTopics } from "../test-topics.ts";

function bytesOf(record: FetchedRecord<unknown, unknown>): {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: string;
  readonly timestamp: number;
} {
  const hex = (start: number, end: number): string | null =>
    start < 0 ? null : record.buffer.toString("hex", start, end);
  return {
    key: hex(record.keyStart, record.keyEnd),
    value: hex(record.valueStart, record.valueEnd),
    headers: hex(record.headersStart, record.headersEnd) as string,
    timestamp: record.timestamp,
  };
}

describe("what transform returns", () => {
  it("may be one record, now", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(100));
    await topics.process({ transform: ({ value }) => ({ value: `${value}!` }) });
    expect(await topics.values()).toEqual(numbered(100).map(({ value }) => `${String(value)}!`));
  });

  it("may be a promise, and the records stay in order", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(60));
    await topics.process({
      transform: async ({ value, offset }) => {
        await new Promise((resolve) => setTimeout(resolve, offset % 7));
        return { value };
      },
    });
    expect(await topics.values()).toEqual(numbered(60).map(({ value }) => value));
  });

  it("may be several records, in the order of the array, or none", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(6));
    await topics.process({
      transform: ({ value, offset }) => {
        if (offset % 3 === 0) return null;
        if (offset % 3 === 1) return [];
        return [1, 2, 3].map((part) => ({ value: `${value}/${part}` }));
      },
    });
    expect(await topics.values()).toEqual([
      "value 2/1",
      "value 2/2",
      "value 2/3",
      "value 5/1",
      "value 5/2",
      "value 5/3",
    ]);
    expect(await topics.committed()).toBeGreaterThanOrEqual(6);
  });

  it("may now be a promise and now be not", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(50));
    await topics.process({
      transform: ({ value, offset }) => (offset % 2 === 0 ? { value } : Promise.resolve([{ value }])),
    });
    expect(await topics.values()).toEqual(numbered(50).map(({ value }) => value));
  });

  it("goes to whichever output and partition it names", async () => {
    await using topics = await TestTopics.create({ outputPartitions: 3 });
    const other = `${topics.output}-other`;
    await topics.client.admin.createTopics([{ topic: other, partitions: 1 }]);
    await topics.write(numbered(2));
    await topics.process({
      output: [
        { topic: topics.output, value: stringSerde },
        { topic: other, value: stringSerde },
      ],
      transform: ({ value }) => [
        { value, partition: 2 },
        { value, topic: other },
      ],
    });
    const read = await topics.read();
    expect(read.map(({ partition, value }) => [partition, String(value)])).toEqual([
      [2, "value 0"],
      [2, "value 1"],
    ]);
    expect(await topics.client.admin.listOffsets([{ topic: other, partition: 0 }], "latest")).toMatchObject([
      { offset: 3 },
    ]);
  });
});

describe("what transform leaves out", () => {
  const awkward: TestRecord[] = [
    { key: "plain", value: "value", timestamp: 1 },
    { key: null, value: "without a key", timestamp: 1_700_000_000_123 },
    { key: "tombstone", value: null },
    { key: "", value: "" },
    { key: Buffer.from([0xff, 0x00, 0xfe]), value: Buffer.from([0xc3, 0x28]) },
    {
      key: "headers",
      value: "value",
      headers: createHeaders({
        one: "1",
        twice: ["a", "b", null],
        empty: "",
        nothing: null,
        ["__proto__"]: "data",
        constructor: "data",
        toString: ["x", "y"],
        ünïcode: Buffer.from([0, 255]),
      }),
      timestamp: -1,
    },
  ];

  it("stays as it was, byte for byte: key, headers and timestamp", async () => {
    await using topics = await TestTopics.create();
    await topics.write(awkward);
    const seen: ReturnType<typeof bytesOf>[] = [];
    await topics.process<Buffer>({
      input: topics.input,
      output: topics.output,
      transform: (record) => {
        seen.push(bytesOf(record));
        return { value: record.value };
      },
    });
    const read = await topics.read();
    expect(read.map(bytesOf)).toEqual(seen);
    expect(seen).toHaveLength(awkward.length);
    expect(read[5]?.headers).toEqual(awkward[5]?.headers);
    expect(Object.getPrototypeOf(read[5]?.headers)).toBeNull();
    expect(read[2]?.value).toBeNull();
    expect(read[1]?.key).toBeNull();
    expect(read[0]?.timestamp).toBe(1);
  });

  it("stays as it was in several records as well", async () => {
    await using topics = await TestTopics.create();
    await topics.write(awkward);
    const seen: ReturnType<typeof bytesOf>[] = [];
    await topics.process<Buffer>({
      input: topics.input,
      output: topics.output,
      transform: (record) => {
        seen.push(bytesOf(record), bytesOf(record));
        return [{ value: record.value }, { value: record.value }];
      },
    });
    expect((await topics.read()).map(bytesOf)).toEqual(seen);
  });

  it("is replaced where transform says something else", async () => {
    await using topics = await TestTopics.create();
    await topics.write([{ key: "old", value: "old", headers: createHeaders({ old: "1" }), timestamp: 1 }]);
    await topics.process({
      transform: () => [
        { key: "new", value: "new", headers: createHeaders({ new: ["1", "2"] }), timestamp: 2 },
        { key: null, value: null, headers: createHeaders() },
      ],
    });
    const [first, second] = await topics.read();
    expect(first).toMatchObject({ key: "new", timestamp: 2, headers: createHeaders({ new: ["1", "2"] }) });
    expect(second).toMatchObject({ key: null, value: null, timestamp: 1, headers: createHeaders() });
  });
});

describe("the output partition", () => {
  it("is murmur2 of the key as in Java, and for records without a key that of the input", async () => {
    await using topics = await TestTopics.create({ inputPartitions: 5, outputPartitions: 3 });
    const records: TestRecord[] = [];
    for (let partition = 0; partition < 5; partition++) {
      records.push(
        { partition, key: null, value: `from ${partition}` },
        { partition, key: `key ${partition}`, value: "keyed" },
      );
    }
    await topics.write(records);
    await topics.process({ transform: ({ value }) => ({ value }) });
    for (const { key, value, partition } of await topics.read()) {
      if (key === null) expect(partition).toBe(Number(String(value).slice("from ".length)) % 3);
      else expect(partition).toBe(partitionForKey(Buffer.from(key), 0, key.length, 3));
    }
  });
});

describe("the input", () => {
  it("gives no record of an aborted transaction", async () => {
    await using topics = await TestTopics.create();
    const smallBatches = { maxBatchBytes: 256 };
    for (let round = 0; round < 3; round++) {
      await topics.write(numbered(10, round * 10), smallBatches);
      const abandoned = topics.produce(smallBatches, async (send) => {
        await send(Array.from({ length: 20 }, () => ({ key: "aborted", value: `aborted ${"x".repeat(50)}` })));
        throw new Error("abort it");
      });
      await expect(abandoned).rejects.toThrow("abort it");
    }
    const seen: (string | null)[] = [];
    await topics.process({
      transform: ({ value }) => {
        seen.push(value);
        return { value };
      },
    });
    const [{ offset: end } = { offset: 0 }] = await topics.client.admin.listOffsets(
      [{ topic: topics.input, partition: 0 }],
      "latest",
    );
    // 30 records, and in each round two markers and at least one record that was aborted.
    expect(end).toBeGreaterThanOrEqual(39);
    expect(seen).toEqual(numbered(30).map(({ value }) => value));
    expect(await topics.values()).toEqual(seen);
    expect(await topics.committed()).toBe(end);
  });

  it.for<CodecName>(["gzip", "snappy", "lz4", "zstd"])(
    "may be compressed with %s, and so may the output",
    async (compression) => {
      await using topics = await TestTopics.create();
      const records = numbered(500);
      await topics.write(records.slice(0, 250), { compression });
      await topics.write(records.slice(250));
      await topics.process({ compression, transform: ({ value }) => ({ value }) });
      expect(await topics.values()).toEqual(records.map(({ value }) => value));
    },
  );
});

describe("a subclass", () => {
  it("overrides transform", async () => {
    class Counter extends ExactlyOnceProcessor<string, string> {
      #count = 0;

      override transform({ value }: FetchedRecord<string, string>): TransformResult<string, string> {
        this.#count++;
        return { value: `${this.#count}: ${value}` };
      }
    }
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    await using counter = new Counter({
      brokers: topics.brokers,
      applicationId: topics.applicationId,
      input: { topic: topics.input, value: stringSerde },
      output: { topic: topics.output, value: stringSerde },
    });
    await counter.start();
    await topics.drained();
    expect(await topics.values()).toEqual(["1: value 0", "2: value 1", "3: value 2"]);
  });
});

import type { GroupGeneration } from "@eos/client";
import { createHeaders, silentLogger, stringSerde } from "@eos/core";
import { createTransactionalProducer, type TransactionalProducerOptions } from "@eos/transactions";
import { uniqueName } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";
import { joinGroup } from "../group-membership.ts";
import { TestTopics } from "../test-topics.ts";

const text = { key: stringSerde, value: stringSerde };

async function startProducer(topics: TestTopics, options: Partial<TransactionalProducerOptions> = {}) {
  const producer = createTransactionalProducer({
    brokers: topics.brokers,
    transactionalId: topics.applicationId,
    logger: silentLogger,
    ...options,
  });
  await producer.start();
  return producer;
}

describe("a transaction", () => {
  it("shows nothing before it commits, and everything afterwards", async () => {
    await using topics = await TestTopics.create();
    await using producer = await startProducer(topics, { maxBatchBytes: 256 });
    const answer = await producer.transaction(async (transaction) => {
      for (let number = 0; number < 50; number++) {
        const record = {
          key: "key",
          value: `value ${number}`,
          headers: createHeaders({ n: String(number) }),
          timestamp: number,
        };
        await transaction.send({ topic: topics.output, records: [record], ...text });
      }
      expect(await topics.visible()).toBe(0);
      return "answer";
    });
    expect(answer).toBe("answer");
    const read = await topics.read();
    expect(read.map(({ value, timestamp }) => [String(value), timestamp])).toEqual(
      Array.from({ length: 50 }, (_, number) => [`value ${number}`, number]),
    );
    expect(read[7]?.headers).toEqual(createHeaders({ n: "7" }));
  });

  it("is aborted when the function throws, and the next one is none the worse", async () => {
    await using topics = await TestTopics.create();
    await using producer = await startProducer(topics, { maxBatchBytes: 256 });
    const send = (value: string, count: number, error?: Error) =>
      producer.transaction(async (transaction) => {
        await transaction.send({
          topic: topics.output,
          records: Array.from({ length: count }, () => ({ value })),
          ...text,
        });
        if (error !== undefined) throw error;
      });
    await send("first", 3);
    await expect(send("aborted", 30, new Error("mine"))).rejects.toThrow("mine");
    await send("second", 3);
    expect(await topics.values()).toEqual(["first", "first", "first", "second", "second", "second"]);
    expect(producer.state).toBe("ready");
  });

  it("waits its turn, and ends with its function", async () => {
    await using topics = await TestTopics.create();
    await using producer = await startProducer(topics);
    const leaked: { send: () => Promise<void> }[] = [];
    await Promise.all(
      [1, 2, 3].map((number) =>
        producer.transaction(async (transaction) => {
          const records = [{ value: `value ${number}` }];
          leaked.push({ send: () => transaction.send({ topic: topics.output, records, ...text }) });
          await transaction.send({ topic: topics.output, records, ...text });
        }),
      ),
    );
    await expect(leaked[0]?.send()).rejects.toThrow("it has ended");
    expect(await topics.values()).toEqual(["value 1", "value 2", "value 3"]);
  });

  it("refuses topics, partitions and values that cannot be, and is aborted", async () => {
    await using topics = await TestTopics.create();
    await using producer = await startProducer(topics, { maxBatchBytes: 1_000 });
    const send = (topic: string, record: { readonly value: string; readonly partition?: number }) =>
      producer.transaction(async (transaction) => {
        await transaction.send({ topic: topics.output, records: [{ value: "good" }], ...text });
        await transaction.send({ topic, records: [record], ...text });
      });
    await expect(send(uniqueName("missing"), { value: "x" })).rejects.toMatchObject({ code: "EOS_UNKNOWN_TOPIC" });
    await expect(send(topics.output, { value: "x", partition: 1 })).rejects.toMatchObject({
      code: "EOS_UNKNOWN_PARTITION",
    });
    await expect(send(topics.output, { value: "x".repeat(2_000) })).rejects.toMatchObject({
      code: "EOS_RECORD_TOO_LARGE",
    });
    await send(topics.output, { value: "better" });
    expect(await topics.values()).toEqual(["good", "better"]);
  });

  it("is the last of its producer once another one has started with the same id", async () => {
    await using topics = await TestTopics.create();
    await using first = await startProducer(topics, { maxBatchBytes: 256 });
    const records = Array.from({ length: 20 }, () => ({ value: "first" }));
    const fenced = first.transaction(async (transaction) => {
      await transaction.send({ topic: topics.output, records, ...text });
      await using second = await startProducer(topics);
      await second.transaction((other) =>
        other.send({ topic: topics.output, records: [{ value: "second" }], ...text }),
      );
    });
    await expect(fenced).rejects.toMatchObject({ code: "EOS_PRODUCER_FENCED", severity: "fatal" });
    expect(first.state).toBe("fenced");
    await expect(first.transaction(() => undefined)).rejects.toThrow();
    expect(await topics.values()).toEqual(["second"]);
  });

  it("names both limits when its timeout is longer than the broker's", async () => {
    await using topics = await TestTopics.create();
    const starting = startProducer(topics, { transactionTimeoutMs: 900_001 });
    await expect(starting).rejects.toMatchObject({
      code: "EOS_TRANSACTION_TIMEOUT_TOO_LARGE",
      message: expect.stringMatching(/900001 ms.*900000 ms/) as string,
    });
  });
});

describe("offsets in a transaction", () => {
  it("are committed with it, and with it only", async () => {
    await using topics = await TestTopics.create();
    await using producer = await startProducer(topics);
    await using member = await joinGroup(topics);
    const commit = (offset: number, error?: Error) =>
      producer.transaction((transaction) => {
        transaction.sendOffsets(member.generation, [{ topic: topics.input, partition: 0, offset }]);
        if (error !== undefined) throw error;
      });
    await commit(5);
    await expect(commit(9, new Error("mine"))).rejects.toThrow("mine");
    expect(await topics.committed()).toBe(5);
  });

  const stale: readonly (readonly [string, (generation: GroupGeneration) => GroupGeneration])[] = [
    ["ILLEGAL_GENERATION", (generation) => ({ ...generation, generationId: generation.generationId - 1 })],
    ["UNKNOWN_MEMBER_ID", (generation) => ({ ...generation, memberId: "somebody-else" })],
  ];
  it.for(stale)(
    "are refused with %s when the group has gone on, and so is everything else in it",
    async ([name, outdate]) => {
      await using topics = await TestTopics.create();
      await using producer = await startProducer(topics);
      await using member = await joinGroup(topics);
      const commit = (generation: GroupGeneration, value: string) =>
        producer.transaction(async (transaction) => {
          await transaction.send({ topic: topics.output, records: [{ value }], ...text });
          transaction.sendOffsets(generation, [{ topic: topics.input, partition: 0, offset: 7 }]);
        });
      await expect(commit(outdate(member.generation), "zombie")).rejects.toMatchObject({ kafkaName: name });
      expect(await topics.committed()).toBe(-1);
      await commit(member.generation, "member");
      expect(await topics.values()).toEqual(["member"]);
      expect(await topics.committed()).toBe(7);
    },
  );
});

import { type BatchProducer, createClient, OffsetBatch } from "@eos/client";
import { silentLogger } from "@eos/core";
import { FaultInjector } from "@tooling/faults";
import { testBroker } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";
import { joinGroup } from "../group-membership.ts";
import { TestTopics } from "../test-topics.ts";

// The shared broker speaks both: version 2 (KIP-890) unless a producer is told otherwise.
describe.for([1, 2] as const)("with transaction version %i", (transactionVersion) => {
  /** A producer of that version whose network can be made to fail. */
  async function open(topics: TestTopics, options: { readonly requestTimeoutMs?: number } = {}) {
    const faults = new FaultInjector();
    const client = createClient({
      brokers: testBroker().brokers,
      socketFactory: faults.socketFactory,
      logger: silentLogger,
      ...options,
    });
    await client.connect();
    const producer = await client.producer({ transactionalId: topics.applicationId, transactionVersion });
    await producer.init();
    const output = await producer.topic(topics.output);
    const append = (value: string, batch: BatchProducer = producer) =>
      batch.append(output.partitions[0]!, Date.now(), Buffer.alloc(0), -1, -1, value, null, 0, 0);
    return { faults, client, producer, append, [Symbol.asyncDispose]: () => client.close() };
  }

  it("commits and aborts, over and over", async () => {
    await using topics = await TestTopics.create();
    await using opened = await open(topics);
    const { producer, append } = opened;
    const expected: string[] = [];
    for (let round = 0; round < 10; round++) {
      append(`value ${round}`);
      if (round % 3 === 2) {
        await producer.abort();
      } else {
        await producer.commit([]);
        expected.push(`value ${round}`);
      }
    }
    expect(await topics.values()).toEqual(expected);
  });

  it.for(["drop", "hang-up"] as const)(
    "sends a commit again whose answer is lost (%s), and it is done once",
    async (action) => {
      await using topics = await TestTopics.create();
      await using opened = await open(topics, { requestTimeoutMs: 500 });
      const { faults, producer, append } = opened;
      const requests = faults.record("EndTxn");
      for (let round = 0; round < 3; round++) {
        const lost = faults.arm({ api: "EndTxn", on: "response", action });
        append(`value ${round}`);
        await producer.commit([]);
        expect(lost.strikes).toBe(1);
      }
      expect(requests).toHaveLength(6);
      expect(await topics.values()).toEqual(["value 0", "value 1", "value 2"]);
    },
  );

  it.for(["drop", "hang-up"] as const)("sends a commit again that is lost on its way (%s)", async (action) => {
    await using topics = await TestTopics.create();
    await using opened = await open(topics, { requestTimeoutMs: 500 });
    const { faults, producer, append } = opened;
    const lost = faults.arm({ api: "EndTxn", on: "request", action });
    append("value");
    await producer.commit([]);
    expect(lost.strikes).toBe(1);
    expect(await topics.values()).toEqual(["value"]);
  });

  it("aborts when the answer to a Produce is lost, and what comes next is not taken for a repetition", async () => {
    await using topics = await TestTopics.create();
    await using opened = await open(topics);
    const { faults, producer, append } = opened;
    append("first");
    await producer.commit([]);
    faults.arm({ api: "Produce", on: "response", action: "hang-up" });
    append("unknown");
    await expect(producer.commit([])).rejects.toMatchObject({ code: "EOS_TRANSACTION_ABORTED", connectionLost: true });
    await producer.abort();
    append("second");
    await producer.commit([]);
    expect(await topics.values()).toEqual(["first", "second"]);
  });

  it("is fenced by whoever initialises the id after it, and may come back only by initialising it again", async () => {
    await using topics = await TestTopics.create();
    await using first = await open(topics);
    await using second = await open(topics);
    first.append("zombie");
    await expect(first.producer.commit([])).rejects.toMatchObject({ code: "EOS_PRODUCER_FENCED" });
    expect(first.producer.state).toBe("fenced");
    expect(first.producer.canAbort).toBe(false);
    second.append("second");
    await second.producer.commit([]);
    await first.producer.init();
    first.append("back");
    await first.producer.commit([]);
    expect(await topics.values()).toEqual(["second", "back"]);
  });

  it("commits offsets under the generation's check", async () => {
    await using topics = await TestTopics.create();
    await using opened = await open(topics);
    await using member = await joinGroup(topics);
    const { producer, append } = opened;
    const offsets = new OffsetBatch();
    offsets.set(topics.input, 0, 3, "metadata");
    append("stale");
    const stale = { ...member.generation, generationId: member.generation.generationId + 1 };
    await expect(producer.commit([{ generation: stale, offsets }])).rejects.toMatchObject({
      kafkaName: "ILLEGAL_GENERATION",
    });
    await producer.abort();
    append("current");
    await producer.commit([{ generation: member.generation, offsets }]);
    expect(await topics.values()).toEqual(["current"]);
    expect(await topics.committed()).toBe(3);
  });
});

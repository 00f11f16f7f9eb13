import { createServer } from "node:net";
import { OffsetBatch } from "@eos/client";
import { createExactlyOnceProcessor, type ProcessorOptions } from "@eos/transactions";
import { uniqueName } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";
import { Latch } from "../latch.ts";
import { numbered, recordingLogger, TestTopics } from "../test-topics.ts";

const NOBODY = "127.0.0.1:1";

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const good = {
  brokers: [NOBODY],
  applicationId: "app",
  input: "in",
  output: "out",
  transform: () => undefined,
} satisfies ProcessorOptions<Buffer, Buffer, Buffer, Buffer>;

const store = { name: "counts", prepare: () => undefined, open: () => undefined };

describe("wrong options", () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ["no brokers", { brokers: undefined }, 'option "brokers" is required; it must be a non-empty array of "host:port"'],
    [
      "a broker without a port",
      { brokers: ["localhost"] },
      'option "brokers" must be a non-empty array of "host:port"',
    ],
    [
      "no application id",
      { applicationId: undefined },
      'option "applicationId" is required; it must be a name of letters',
    ],
    ["an application id with a space", { applicationId: "my app" }, 'option "applicationId" must be a name of letters'],
    ["an empty list of inputs", { input: [] }, 'option "input" must be a topic name'],
    ["an output that is no topic name", { output: "a/b" }, 'option "output" must be a topic name'],
    ["no transform", { transform: undefined }, 'option "transform" is required; it must be a function'],
    ["a transform that is no function", { transform: "upper" }, 'option "transform" must be a function, got "upper"'],
    ["an unknown guarantee", { processingGuarantee: "exactly_once" }, 'option "processingGuarantee" must be'],
    ["an unknown scope", { producerScope: "thread" }, 'option "producerScope" must be'],
    ["a negative interval", { commitIntervalMs: -1 }, 'option "commitIntervalMs" must be an integer of 0 or more'],
    [
      "a timeout that is text",
      { transactionTimeoutMs: "10s" },
      'option "transactionTimeoutMs" must be a positive integer',
    ],
    ["a misspelt option", { comitIntervalMs: 5 }, 'unknown option "comitIntervalMs"'],
    ["an unknown codec", { compression: "brotli" }, 'option "compression" must be'],
    ["no output and no store", { output: undefined }, 'option "output" is required without "stores"'],
    ["no output and an empty list of stores", { output: undefined, stores: [] }, 'option "output" is required without'],
    ["a store that is a name", { stores: ["counts"] }, 'option "stores" must be an array of stores'],
    ["a store that cannot be opened", { stores: [{ name: "a", prepare: () => undefined }] }, 'option "stores" must be'],
    ["a store without a name", { stores: [{ ...store, name: "" }] }, 'option "stores" must be'],
    ["two stores of one name", { stores: [store, { ...store }] }, "each with a name of its own"],
    [
      "stores and several inputs under the task scope",
      { stores: [store], input: ["in", "other"], producerScope: "task" },
      'with several inputs, option "stores" needs producerScope "process"',
    ],
    ["a state folder without a name", { stateDir: "" }, 'option "stateDir" must be a non-empty string'],
  ];

  it.for(cases)("%s", ([, wrong, message]) => {
    expect(() => createExactlyOnceProcessor({ ...good, ...wrong } as typeof good)).toThrow(TypeError);
    expect(() => createExactlyOnceProcessor({ ...good, ...wrong } as typeof good)).toThrow(message);
  });

  it("a misspelt option says which one may have been meant", () => {
    const wrong = { ...good, comitIntervalMs: 5 } as typeof good;
    expect(() => createExactlyOnceProcessor(wrong)).toThrow(/did you mean "commitIntervalMs"/);
  });
});

describe("options that go together", () => {
  it.for([
    ["no output, but a store", { output: undefined, stores: [store] }],
    ["stores and one input under the task scope", { stores: [store], producerScope: "task" }],
    ["stores and several inputs under the process scope", { stores: [store], input: ["in", "other"] }],
    ["several inputs under the task scope, without stores", { input: ["in", "other"], producerScope: "task" }],
  ] as const)("%s", ([, right]) => {
    expect(() => createExactlyOnceProcessor({ ...good, ...right } as unknown as typeof good)).not.toThrow();
  });
});

describe("start", () => {
  it("names an input topic that does not exist, and stops", async () => {
    await using topics = await TestTopics.create();
    const input = uniqueName("missing");
    const processor = topics.processor({ input, transform: ({ value }) => ({ value }) });
    await expect(processor.start()).rejects.toMatchObject({ code: "EOS_UNKNOWN_TOPIC", topic: input });
    await expect(processor.finished).rejects.toMatchObject({ code: "EOS_UNKNOWN_TOPIC" });
    expect(processor.state).toBe("ERROR");
    await processor.close();
  });

  it("names an output topic that does not exist", async () => {
    await using topics = await TestTopics.create();
    const output = uniqueName("missing");
    const processor = topics.processor({ output, transform: ({ value }) => ({ value }) });
    await expect(processor.start()).rejects.toMatchObject({ code: "EOS_UNKNOWN_TOPIC", topic: output });
  });

  it("creates an output topic that is given a number of partitions, with as many replicas as there are brokers", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(5));
    const output = uniqueName("created");
    const logger = recordingLogger();
    await topics.process({
      output: { topic: output, partitions: 3 },
      logger,
      transform: ({ value }) => ({ value: Buffer.from(String(value)) as unknown as string }),
    });
    expect(await topics.client.admin.partitionCount(output)).toBe(3);
    expect(logger.entries).toContainEqual({
      level: "warn",
      fields: expect.objectContaining({ topic: output, replicationFactor: 3 }) as object,
      message: expect.stringContaining("eplication factor") as string,
    });
  });

  it("fails in good time when nobody listens where the brokers should be, and names the address", async () => {
    const address = `127.0.0.1:${await closedPort()}`;
    const processor = createExactlyOnceProcessor({
      brokers: [address],
      applicationId: "app",
      input: "in",
      output: "out",
      transform: () => undefined,
    });
    const startedMs = performance.now();
    await expect(processor.start()).rejects.toMatchObject({
      code: "EOS_CONNECTION",
      message: expect.stringContaining(address) as string,
      hint: expect.stringContaining("is the broker up") as string,
    });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(processor.state).toBe("ERROR");
  });

  it("says both values when the transaction timeout is longer than the broker allows", async () => {
    await using topics = await TestTopics.create();
    const processor = topics.processor({ transactionTimeoutMs: 900_001, transform: ({ value }) => ({ value }) });
    await expect(processor.start()).rejects.toMatchObject({
      code: "EOS_TRANSACTION_TIMEOUT_TOO_LARGE",
      message: "transactionTimeoutMs (900001 ms) is more than the broker's transaction.max.timeout.ms (900000 ms)",
    });
  });

  it("cannot be called twice, and close may be called without it", async () => {
    await using topics = await TestTopics.create();
    const processor = topics.processor({ transform: ({ value }) => ({ value }) });
    await processor.start();
    await expect(processor.start()).rejects.toMatchObject({ code: "EOS_INVALID_TRANSITION" });
    const unstarted = createExactlyOnceProcessor({
      ...topics.application,
      transform: () => undefined,
    });
    await unstarted.close();
    await unstarted.close();
    expect(unstarted.state).toBe("NOT_RUNNING");
    await unstarted.finished;
  });
});

describe("where a group begins", () => {
  it("is the earliest offset by default", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    await topics.process({ transform: ({ value }) => ({ value }) });
    expect(await topics.values()).toHaveLength(3);
  });

  it("is the end with 'latest'", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    const running = new Latch();
    const processor = topics.processor({
      autoOffsetReset: "latest",
      transform: ({ value }) => ({ value }),
      onStateChange: (next) => {
        if (next === "RUNNING") running.open();
      },
    });
    await processor.start();
    await running.opened;
    await topics.write(numbered(2, 3));
    await topics.drained();
    expect(await topics.values()).toEqual(["value 3", "value 4"]);
  });

  it("has to be there with 'none'", async () => {
    await using topics = await TestTopics.create({ inputPartitions: 2 });
    const processor = topics.processor({ autoOffsetReset: "none", transform: ({ value }) => ({ value }) });
    await processor.start();
    await expect(processor.finished).rejects.toMatchObject({
      code: "EOS_NO_COMMITTED_OFFSET",
      message: expect.stringContaining(`${topics.input}-0, ${topics.input}-1`) as string,
    });
  });

  it("is an error when it is out of range, never a jump, and the group's offset stays", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    const offsets = new OffsetBatch();
    offsets.set(topics.input, 0, 1_000, "");
    const generation = { groupId: topics.applicationId, generationId: -1, memberId: "", groupInstanceId: null };
    await topics.client.commitOffsets({ generation, offsets });
    const processor = topics.processor({ transform: ({ value }) => ({ value }) });
    await processor.start();
    await expect(processor.finished).rejects.toMatchObject({
      code: "EOS_OFFSET_OUT_OF_RANGE",
      message: `offset 1000 of ${topics.input}-0 is out of range`,
    });
    expect(await topics.committed()).toBe(1_000);
    expect(await topics.values()).toEqual([]);
  });
});

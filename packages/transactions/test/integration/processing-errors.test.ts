import { EosError, jsonSerde } from "@eos/core";
import { ProcessingError, type RecordPosition, type TransformResult } from "@eos/transactions";
import { describe, expect, it } from "vitest";
import { numbered, type TestProcessorOptions, TestTopics } from "../test-topics.ts";

/** Runs until the processor has stopped by itself and gives what stopped it. */
async function failureOf<VI, VO>(topics: TestTopics, options: TestProcessorOptions<VI, VO>): Promise<EosError> {
  const processor = topics.processor(options);
  await processor.start();
  const error: unknown = await processor.finished.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(processor.state).toBe("ERROR");
  expect(processor.health()).toMatchObject({ state: "ERROR", isLive: false, isReady: false, error });
  if (!EosError.is(error)) throw new Error(`expected an EosError, got ${String(error)}`);
  return error;
}

const failAt = (bad: number) =>
  ({
    transform: ({ value, offset }: RecordPosition & { readonly value: string | null }) => {
      if (offset === bad) throw new Error(`no ${offset}s here`);
      return { value };
    },
  }) satisfies TestProcessorOptions;

describe("an error in transform", () => {
  it("stops the processor, names the record, and loses and doubles nothing", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(20));
    const error = await failureOf(topics, { ...failAt(10), commitIntervalMs: 10_000 });
    expect(error).toBeInstanceOf(ProcessingError);
    expect(error).toMatchObject({
      code: "EOS_PROCESSING",
      severity: "fatal",
      message: `processing ${topics.input}-0@10 failed: no 10s here`,
      record: { topic: topics.input, partition: 0, offset: 10 },
      cause: { message: "no 10s here" },
      hint: expect.stringContaining("onProcessingError") as string,
    });
    await topics.process({ transform: ({ value }) => ({ value }) });
    expect(await topics.values()).toEqual(numbered(20).map(({ value }) => value));
  });

  it("stops it when a promise rejects as well", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(20));
    const error = await failureOf(topics, {
      transform: async ({ value, offset }) => {
        await Promise.resolve();
        if (offset === 10) throw new Error("later");
        return { value };
      },
    });
    expect(error).toMatchObject({ code: "EOS_PROCESSING", record: { offset: 10 } });
    await topics.process({ transform: ({ value }) => ({ value }) });
    expect(await topics.values()).toEqual(numbered(20).map(({ value }) => value));
  });

  it("can be answered with 'retry', which counts the attempts and keeps the order", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(10));
    const attempts: number[] = [];
    let failures = 0;
    await topics.process({
      transform: ({ value, offset }) => {
        if (offset === 4 && failures++ < 3) throw new Error("not yet");
        return { value };
      },
      onProcessingError: (_error, { offset }, attempt) => {
        attempts.push(attempt);
        expect(offset).toBe(4);
        return "retry";
      },
    });
    expect(attempts).toEqual([1, 2, 3]);
    expect(await topics.values()).toEqual(numbered(10).map(({ value }) => value));
  });

  it("can be answered with 'skip', now or by a promise, which is said and counted", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(10));
    const skipped: number[] = [];
    const processor = await topics.process({
      transform: ({ value, offset }) => {
        if (offset % 3 === 0) throw new Error("poison");
        if (offset === 5) return Promise.reject(new Error("poison"));
        return { value };
      },
      onProcessingError: (_error, { offset }) => (offset === 3 ? Promise.resolve("skip") : "skip"),
      observer: { recordSkipped: ({ offset }) => void skipped.push(offset) },
    });
    expect(skipped).toEqual([0, 3, 5, 6, 9]);
    expect(processor.metrics().recordsSkipped).toBe(5);
    expect(await topics.values()).toEqual([1, 2, 4, 7, 8].map((offset) => `value ${offset}`));
  });

  it("stops it when onProcessingError itself throws, rejects, or gives no answer that is one", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    const answers = [
      () => {
        throw new Error("handler");
      },
      () => Promise.reject(new Error("handler")),
      () => "whatever" as "skip",
    ];
    for (const onProcessingError of answers) {
      const error = await failureOf(topics, { ...failAt(1), onProcessingError });
      expect(error).toMatchObject({ code: "EOS_PROCESSING", record: { offset: 1 } });
    }
    await topics.process({ transform: ({ value }) => ({ value }) });
    expect(await topics.values()).toEqual(numbered(3).map(({ value }) => value));
  });
});

describe("a result that is none", () => {
  const rubbish: readonly (readonly [unknown, string])[] = [
    [42, "transform returned a number"],
    ["text", "transform returned a string"],
    [true, "transform returned a boolean"],
    [{}, "transform returned a record without a value"],
    [[{ value: "good" }, null], "transform returned null inside an array"],
    [
      [{ value: "good" }, { topic: "elsewhere", value: "x" }],
      'a record for topic "elsewhere", which is not among the outputs',
    ],
  ];

  it.for(rubbish)("%j is an error that says so, and nothing of it is written", async ([result, message]) => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    const errors: unknown[] = [];
    await topics.process({
      transform: ({ value, offset }) => (offset === 1 ? (result as TransformResult<string, string>) : { value }),
      onProcessingError: (error) => {
        errors.push(error);
        return "skip";
      },
    });
    expect(errors).toMatchObject([
      { code: "EOS_INVALID_TRANSFORM_RESULT", message: expect.stringContaining(message) as string },
    ]);
    expect(await topics.values()).toEqual(["value 0", "value 2"]);
  });

  it("a partition that the output does not have is an error, not a lost record", async () => {
    await using topics = await TestTopics.create({ outputPartitions: 2 });
    await topics.write(numbered(3));
    const error = await failureOf(topics, { transform: ({ value }) => ({ value, partition: 2 }) });
    expect(error).toMatchObject({ code: "EOS_PROCESSING", cause: { code: "EOS_UNKNOWN_PARTITION" } });
    expect(error.message).toContain(`topic ${topics.output} has no partition 2: it has 2`);
    expect(await topics.committed()).toBeLessThan(1);
  });

  it("a promise that never settles ends with an error that names the record", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    const error = await failureOf(topics, {
      maxPollIntervalMs: 300,
      transform: ({ value, offset }) => (offset === 1 ? new Promise<never>(() => {}) : { value }),
    });
    expect(error).toMatchObject({
      code: "EOS_PROCESSING_TIMEOUT",
      record: { topic: topics.input, partition: 0, offset: 1 },
    });
    expect(error.message).toContain("300 ms");
    await topics.process({ transform: ({ value }) => ({ value }) });
    expect(await topics.values()).toEqual(numbered(3).map(({ value }) => value));
  });
});

describe("bad input and output", () => {
  it("a value that is not JSON reaches onProcessingError and can be skipped", async () => {
    await using topics = await TestTopics.create();
    const given = ['{"a":1}', "not json", '{"__proto__":{"polluted":true}}', '{"a":2}'];
    await topics.write(given.map((value) => ({ key: "key", value })));
    const errors: EosError[] = [];
    await topics.process<{ a: number }>({
      input: { topic: topics.input, value: jsonSerde<{ a: number }>() },
      output: { topic: topics.output, value: jsonSerde<{ a: number }>() },
      transform: ({ value }) => ({ value: { a: (value?.a ?? 0) * 10 } }),
      onProcessingError: (error) => {
        errors.push(error as EosError);
        return "skip";
      },
    });
    expect(errors.map(({ code }) => code)).toEqual(["EOS_SERDE", "EOS_SERDE"]);
    expect(errors[0]?.message).toContain(`${topics.input}-0@1`);
    expect(await topics.values()).toEqual(['{"a":10}', '{"a":20}']);
  });

  it("a record over the client's limit is refused before it is sent, alone or among several", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(4));
    const errors: EosError[] = [];
    await topics.process({
      maxBatchBytes: 2_000,
      transform: ({ value, offset }) => {
        if (offset === 1) return { value: "x".repeat(3_000) };
        if (offset === 2) return [{ value: "small" }, { value: "x".repeat(3_000) }];
        return { value };
      },
      onProcessingError: (error) => {
        errors.push(error as EosError);
        return "skip";
      },
    });
    expect(errors.map(({ code }) => code)).toEqual(["EOS_RECORD_TOO_LARGE", "EOS_RECORD_TOO_LARGE"]);
    expect(await topics.values()).toEqual(["value 0", "value 3"]);
  });

  it("a record over the broker's limit stops the processor with the broker's words, and nothing is lost", async () => {
    await using topics = await TestTopics.create({ outputConfig: { "max.message.bytes": "1000" } });
    await topics.write(numbered(4));
    const error = await failureOf(topics, {
      transform: ({ value, offset }) => ({ value: offset === 2 ? "x".repeat(3_000) : value }),
    });
    expect(error.code).toBe("EOS_NO_PROGRESS");
    expect(error.message).toContain("MESSAGE_TOO_LARGE");
    expect(error.message).toContain(`${topics.output}-0`);
    await topics.process({ transform: ({ value }) => ({ value }) });
    expect(await topics.values()).toEqual(numbered(4).map(({ value }) => value));
  });
});

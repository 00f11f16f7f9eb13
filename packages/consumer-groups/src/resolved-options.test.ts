import { rangeAssignor } from "@eos/client";
import { bytesSerde } from "@eos/core";
import { describe, expect, it } from "vitest";
import type { ConsumerGroupOptions } from "./options.ts";
import { resolveGroupOptions } from "./resolved-options.ts";

const GIVEN = { brokers: ["localhost:9092"], groupId: "g", topics: "in" } as const;

/** Also what TypeScript would refuse. */
function resolve(options: { readonly [option: string]: unknown } = {}) {
  return resolveGroupOptions({ ...GIVEN, ...options } as unknown as ConsumerGroupOptions);
}

describe("resolveGroupOptions", () => {
  it("fills in the defaults that the options document", () => {
    expect(resolve()).toMatchObject({
      topics: ["in"],
      key: bytesSerde,
      value: bytesSerde,
      members: 1,
      maxBatchRecords: 500,
      ordering: "partition",
      concurrency: 16,
      commit: "batch",
      autoOffsetReset: "earliest",
      onOffsetOutOfRange: "stop",
      assignors: [rangeAssignor],
      groupInstanceId: null,
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 3_000,
      rebalanceTimeoutMs: 60_000,
      revokeTimeoutMs: 30_000,
      maxPollIntervalMs: 300_000,
      metadataMaxAgeMs: 300_000,
      maxQueueRecords: 1_000,
      maxQueueBytes: 4_194_304,
      maxPartitionFetchBytes: 1_048_576,
      isolationLevel: "read_committed",
      onMemberFailure: "replace",
    });
    expect(resolve().onError(new Error("broken"), {} as never, 1)).toBe("stop");
  });

  it("takes an option that is undefined for one that is not there", () => {
    expect(resolve({ concurrency: undefined, revokeTimeoutMs: undefined, rebalanceTimeoutMs: 9_001 })).toMatchObject({
      concurrency: 16,
      revokeTimeoutMs: 4_501,
    });
  });

  it("keeps several topics and a RegExp as they are", () => {
    expect(resolve({ topics: ["a", "b"] }).topics).toEqual(["a", "b"]);
    expect(resolve({ topics: /^in/ }).topics).toEqual(/^in/);
  });

  it.each([
    ["groupid", 'did you mean "groupId"?'],
    ["sessionTimeout", 'did you mean "sessionTimeoutMs"?'],
    ["handlers", 'did you mean "handler"?'],
  ])("refuses the unknown option %s, and says which one may be meant", (option, advice) => {
    expect(() => resolve({ [option]: 1 })).toThrow(
      new TypeError(`createConsumerGroup: unknown option "${option}"; ${advice}`),
    );
  });

  it.each(["brokers", "groupId", "topics"])("refuses to do without %s", (option) => {
    expect(() => resolve({ [option]: undefined })).toThrow(`option "${option}" is required`);
  });

  it.each<[string, unknown]>([
    ["groupId", ""],
    ["topics", []],
    ["topics", ["a", ""]],
    ["topics", 3],
    ["members", -1],
    ["members", 1.5],
    ["maxBatchRecords", 0],
    ["concurrency", 0],
    ["ordering", "keys"],
    ["commit", "never"],
    ["commit", { intervalMs: 0 }],
    ["commit", { intervalMs: 5, records: 3 }],
    ["commit", null],
    ["autoOffsetReset", "beginning"],
    ["onOffsetOutOfRange", "none"],
    ["assignors", []],
    ["assignors", [{ name: "mine" }]],
    ["groupInstanceId", ""],
    ["isolationLevel", "serializable"],
    ["onMemberFailure", "ignore"],
    ["handler", "handle"],
    ["deadLetter", {}],
    ["deadLetter", null],
    ["onError", "skip"],
    ["sessionTimeoutMs", 0],
  ])("refuses %s: %j", (option, value) => {
    expect(() => resolve({ [option]: value })).toThrow(`createConsumerGroup: option "${option}" must be`);
  });

  const handler = (): void => {};

  it.each<[{ readonly [option: string]: unknown }, string]>([
    [{ handler, batchHandler: handler }, 'options "handler" and "batchHandler" exclude each other'],
    [
      { batchHandler: handler, ordering: "key" },
      "option \"ordering\" must be 'partition' with a batchHandler, got 'key'",
    ],
    [{ batchHandler: handler, ordering: "unordered" }, "got 'unordered'"],
    [{ batchHandler: handler, commit: "record" }, "option \"commit\" cannot be 'record' with a batchHandler"],
    [{ handler, maxBatchRecords: 5 }, 'option "maxBatchRecords" needs a batchHandler'],
    [
      { heartbeatIntervalMs: 10_000 },
      'option "heartbeatIntervalMs" (10000) must be less than sessionTimeoutMs (10000)',
    ],
    [{ revokeTimeoutMs: 60_000 }, 'option "revokeTimeoutMs" (60000) must be less than rebalanceTimeoutMs (60000)'],
  ])("refuses options that contradict each other: %j", (options, message) => {
    expect(() => resolve(options)).toThrow(TypeError);
    expect(() => resolve(options)).toThrow(message);
  });

  it("accepts what is just within those bounds", () => {
    expect(() => resolve({ heartbeatIntervalMs: 9_999, revokeTimeoutMs: 59_999 })).not.toThrow();
    expect(() => resolve({ batchHandler: handler, maxBatchRecords: 5, commit: { intervalMs: 1 } })).not.toThrow();
  });
});

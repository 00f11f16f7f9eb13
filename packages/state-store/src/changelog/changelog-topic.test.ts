import { type NewTopic, BrokerError, UnknownTopicError } from "@eos/client";
import { type Clock, silentLogger } from "@eos/core";
import { beforeEach, describe, expect, test } from "vitest";
import { MisconfiguredInternalTopicError } from "../errors.ts";
import {
  type ChangelogKind,
  type ChangelogTopicOptions,
  changelogTopicName,
  ensureChangelogTopic,
} from "./changelog-topic.ts";

const DAY_MS = 86_400_000;
const BROKER_DEFAULTS = {
  "cleanup.policy": "delete",
  "message.timestamp.type": "CreateTime",
  "retention.ms": "604800000",
  "retention.bytes": "-1",
  "min.compaction.lag.ms": "0",
  "delete.retention.ms": "86400000",
  "segment.bytes": "1073741824",
};

/** Topics as an admin client sees them: what exists stays as it is. */
class Topics {
  readonly existing = new Map<string, { readonly partitions: number; readonly config: Map<string, string> }>();
  readonly created: NewTopic[] = [];
  /** Thrown once each, before anything else. */
  readonly failures: Error[] = [];

  add(topic: string, partitions: number, config: { readonly [name: string]: string }): void {
    this.existing.set(topic, { partitions, config: new Map(Object.entries({ ...BROKER_DEFAULTS, ...config })) });
  }

  ensureTopics(topics: readonly NewTopic[]): Promise<void> {
    const failure = this.failures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    for (const topic of topics) {
      if (this.existing.has(topic.topic)) continue;
      this.created.push(topic);
      this.add(topic.topic, topic.partitions, topic.config ?? {});
    }
    return Promise.resolve();
  }

  partitionCount(topic: string): Promise<number> {
    return Promise.resolve(this.existing.get(topic)?.partitions ?? 0);
  }

  describeTopicConfig(topic: string): Promise<Map<string, string>> {
    return Promise.resolve(this.existing.get(topic)?.config ?? new Map<string, string>());
  }
}

const TOPIC = "app-counts-changelog";

let topics: Topics;
let nowMs: number;
let warnings: object[];

beforeEach(() => {
  topics = new Topics();
  nowMs = 0;
  warnings = [];
});

const clock: Clock = {
  now: () => nowMs,
  monotonicMs: () => nowMs,
  sleep: (ms) => {
    nowMs += ms;
    return Promise.resolve();
  },
};

function ensure(
  kind: ChangelogKind,
  options: Partial<ChangelogTopicOptions> = {},
): ReturnType<typeof ensureChangelogTopic> {
  return ensureChangelogTopic({
    admin: topics,
    applicationId: "app",
    store: "counts",
    kind,
    partitions: 4,
    replicationFactor: -1,
    retentionMs: kind === "key-value" ? null : DAY_MS,
    config: {},
    clock,
    logger: { ...silentLogger, warn: (fields) => warnings.push(fields) },
    ...options,
  });
}

async function misfit(kind: ChangelogKind, options: Partial<ChangelogTopicOptions> = {}): Promise<string[]> {
  const error: unknown = await ensure(kind, options).catch((e: unknown) => e);
  if (!(error instanceof MisconfiguredInternalTopicError)) throw error;
  for (const { setting, found, wanted } of error.mismatches) {
    expect(error.message).toContain(`${setting} is ${found}, but must be ${wanted}`);
  }
  return error.mismatches.map(({ setting, found, wanted }) => `${setting}: ${found} → ${wanted}`);
}

describe("ensureChangelogTopic", () => {
  test("names the topic as Kafka Streams does.", () => {
    expect(changelogTopicName("app", "counts")).toBe(TOPIC);
  });

  test.each([
    ["key-value", { "cleanup.policy": "compact" }],
    ["window", { "cleanup.policy": "compact,delete", "retention.ms": String(2 * DAY_MS) }],
    ["session", { "cleanup.policy": "compact,delete", "retention.ms": String(2 * DAY_MS) }],
    ["versioned", { "cleanup.policy": "compact", "min.compaction.lag.ms": String(2 * DAY_MS) }],
  ] as const)(
    "creates that of a %s store with Kafka Streams' settings, and finds it right afterwards.",
    async (kind, config) => {
      const expected = { topic: TOPIC, deleteRetentionMs: DAY_MS };
      expect(await ensure(kind, { replicationFactor: 3 })).toEqual(expected);
      expect(topics.created).toEqual([
        {
          topic: TOPIC,
          partitions: 4,
          replicationFactor: 3,
          config: { "message.timestamp.type": "CreateTime", ...config },
        },
      ]);
      expect(await ensure(kind)).toEqual(expected);
      expect(topics.created).toHaveLength(1);
    },
  );

  test("A retention that is as long as there are numbers stays one.", async () => {
    await ensure("window", { retentionMs: Number.MAX_SAFE_INTEGER });
    expect(topics.created[0]?.config?.["retention.ms"]).toBe(String(Number.MAX_SAFE_INTEGER));
  });

  test("The user's settings go over the defaults, and an existing topic is measured by them.", async () => {
    const config = { "cleanup.policy": "compact,delete", "retention.ms": "1000", "segment.bytes": "1048576" };
    await ensure("key-value", { config });
    expect(topics.created[0]?.config).toEqual({ ...config, "message.timestamp.type": "CreateTime" });
    await ensure("key-value", { config });
    expect(await misfit("key-value")).toEqual(["cleanup.policy: compact,delete → compact"]);
    expect(warnings).toEqual([]);
  });

  test("A setting of the user's that an existing topic has otherwise, and that does no harm, is warned of.", async () => {
    topics.add(TOPIC, 4, { "cleanup.policy": "compact" });
    await ensure("key-value", { config: { "segment.bytes": "1048576" } });
    expect(warnings).toEqual([{ topic: TOPIC, setting: "segment.bytes", wanted: "1048576", actual: "1073741824" }]);
  });

  test("Other partitions are an error that says both numbers.", async () => {
    topics.add(TOPIC, 3, { "cleanup.policy": "compact" });
    expect(await misfit("key-value")).toEqual(["partitions: 3 → 4"]);
  });

  test("Everything that does not fit is told at once.", async () => {
    topics.add(TOPIC, 1, { "cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime" });
    expect(await misfit("key-value")).toEqual([
      "partitions: 1 → 4",
      "cleanup.policy: delete → compact",
      "message.timestamp.type: LogAppendTime → CreateTime",
    ]);
  });

  test("The order of policies and blanks between them mean nothing.", async () => {
    topics.add(TOPIC, 4, { "cleanup.policy": "delete, compact" });
    await ensure("window");
  });

  test("A retention may be longer than needed or without a limit, but not shorter; nor may the size have a limit.", async () => {
    const policy = { "cleanup.policy": "compact,delete" };
    for (const retention of ["-1", String(2 * DAY_MS), String(9 * DAY_MS)]) {
      topics.add(TOPIC, 4, { ...policy, "retention.ms": retention });
      await ensure("session");
    }
    topics.add(TOPIC, 4, { ...policy, "retention.ms": String(2 * DAY_MS - 1), "retention.bytes": "1000" });
    expect(await misfit("session")).toEqual([
      `retention.ms: ${2 * DAY_MS - 1} → ${2 * DAY_MS}`,
      "retention.bytes: 1000 → -1",
    ]);
    await ensure("session", { config: { "retention.ms": "1000", "retention.bytes": "1000" } });
    expect(warnings).toEqual([]);
    expect(await misfit("session", { config: { "retention.ms": "-1", "retention.bytes": "1000" } })).toEqual([
      `retention.ms: ${2 * DAY_MS - 1} → -1`,
    ]);
  });

  test("A topic that deletes nothing may say of retention what it likes.", async () => {
    topics.add(TOPIC, 4, { "cleanup.policy": "compact", "retention.ms": "1", "retention.bytes": "1" });
    await ensure("window", { config: { "cleanup.policy": "compact" } });
  });

  test("A versioned store's changelog must not be compacted too early.", async () => {
    topics.add(TOPIC, 4, { "cleanup.policy": "compact", "min.compaction.lag.ms": String(DAY_MS) });
    expect(await misfit("versioned")).toEqual([`min.compaction.lag.ms: ${DAY_MS} → ${2 * DAY_MS}`]);
  });

  test("What passes is tried again, and no longer than half a minute.", async () => {
    const requestTimedOut = new BrokerError({ api: "CreateTopics", kafkaCode: 7 });
    topics.failures.push(new UnknownTopicError(TOPIC), requestTimedOut);
    await ensure("key-value");
    expect(topics.created).toHaveLength(1);
    topics.failures.push(...Array.from({ length: 1_000 }, () => requestTimedOut));
    const startedMs = nowMs;
    await expect(ensure("key-value")).rejects.toBe(requestTimedOut);
    expect(nowMs - startedMs).toBeGreaterThan(29_000);
    expect(nowMs - startedMs).toBeLessThan(31_000);
  });

  test("What does not pass is thrown at once.", async () => {
    const invalidConfig = new BrokerError({ api: "CreateTopics", kafkaCode: 40 });
    topics.failures.push(invalidConfig);
    await expect(ensure("key-value")).rejects.toBe(invalidConfig);
    expect(nowMs).toBe(0);
  });
});

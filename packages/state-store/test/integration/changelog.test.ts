import { BrokerError, type Client, TransactionAbortedError, UnknownPartitionError } from "@eos/client";
import { createHeaders, silentLogger, systemClock } from "@eos/core";
import { FaultInjector } from "@tooling/faults";
import { uniqueName } from "@tooling/kafka/testing";
import { describe, expect, test, vi } from "vitest";
import { type AtLeastOnceSink, createAtLeastOnceSink } from "../../src/changelog/at-least-once-sink.ts";
import { type ChangelogTopicOptions, ensureChangelogTopic } from "../../src/changelog/changelog-topic.ts";
import { tailChangelog } from "../../src/changelog/standby-tail.ts";
import { MisconfiguredInternalTopicError } from "../../src/errors.ts";
import { type Entry, keepIn, TestChangelog, valuesOf } from "./changelog-fixture.ts";

const DAY_MS = 86_400_000;

describe("a changelog topic", () => {
  function options(client: Client, given: Partial<ChangelogTopicOptions> = {}): ChangelogTopicOptions {
    return {
      admin: client.admin,
      applicationId: uniqueName("app"),
      store: "counts",
      kind: "key-value",
      partitions: 2,
      replicationFactor: -1,
      retentionMs: null,
      config: {},
      clock: systemClock,
      logger: silentLogger,
      ...given,
    };
  }

  test("is created once, with what its kind needs, by however many processes at once.", async () => {
    await using changelog = await TestChangelog.create();
    const clients = await Promise.all(Array.from({ length: 5 }, () => changelog.otherClient()));
    const [first] = clients as [Client];
    const given = options(first, { kind: "window", retentionMs: 3 * DAY_MS, config: { "segment.bytes": "2097152" } });
    const topic = `${given.applicationId}-counts-changelog`;
    const all = await Promise.all(clients.map(({ admin }) => ensureChangelogTopic({ ...given, admin })));
    expect(all).toEqual(Array.from({ length: 5 }, () => ({ topic, deleteRetentionMs: DAY_MS })));
    const config = await first.admin.describeTopicConfig(topic);
    expect(await first.admin.partitionCount(topic)).toBe(2);
    expect(
      ["cleanup.policy", "retention.ms", "message.timestamp.type", "segment.bytes"].map((s) => config.get(s)),
    ).toEqual(["compact,delete", String(4 * DAY_MS), "CreateTime", "2097152"]);
  });

  test("that exists and does not fit is refused, and left as it is.", async () => {
    await using changelog = await TestChangelog.create();
    const { client } = changelog;
    const given = options(client);
    const topic = `${given.applicationId}-counts-changelog`;
    await client.admin.createTopics([{ topic, partitions: 3 }]);
    const error: unknown = await ensureChangelogTopic(given).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MisconfiguredInternalTopicError);
    expect((error as Error).message).toBe(
      `the internal topic ${topic} does not fit: partitions is 3, but must be 2; cleanup.policy is delete, but must be compact`,
    );
    expect((await client.admin.describeTopicConfig(topic)).get("cleanup.policy")).toBe("delete");
    const config = { "cleanup.policy": "delete" };
    await expect(ensureChangelogTopic({ ...given, partitions: 3, config })).resolves.toMatchObject({ topic });
  });

  test("with a setting that the broker refuses is not created.", async () => {
    await using changelog = await TestChangelog.create();
    const given = options(changelog.client, { config: { "cleanup.policy": "shred" } });
    await expect(ensureChangelogTopic(given)).rejects.toThrow(BrokerError);
  });
});

describe("an at-least-once sink", () => {
  function append(
    sink: AtLeastOnceSink,
    key: string,
    value: string | null,
    headers?: { readonly [name: string]: string },
  ) {
    const bytes = Buffer.from(`..${key}`);
    sink.append(bytes, 2, bytes.length, value, 1_000, headers === undefined ? undefined : createHeaders(headers));
  }

  test("has told the brokers all that was appended when it is flushed, and knows where that ends.", async () => {
    await using changelog = await TestChangelog.create({ partitions: 2 });
    await using sink = await createAtLeastOnceSink(changelog.client, changelog.partition(1));
    expect(sink.endOffset).toBe(-1);
    append(sink, "a", "a1");
    append(sink, "b", "b1", { "eos-expires-at": "5000" });
    expect(sink.endOffset).toBe(-1);
    await sink.flush();
    expect(sink.endOffset).toBe(2);
    await changelog.transaction("commit", ["c1"], 1);
    append(sink, "a", null);
    await sink.flush();
    expect(sink.endOffset).toBe(5);
    await sink.flush();
    expect(sink.endOffset).toBe(await changelog.end(1));
    const { entries } = await changelog.restore({ partition: 1 });
    expect(entries.map(({ key, value }) => [key, value])).toEqual([
      ["a", "a1"],
      ["b", "b1"],
      ["c", "c1"],
      ["a", null],
    ]);
    expect(entries.map(({ headers }) => headers["eos-expires-at"]?.toString())).toEqual([
      undefined,
      "5000",
      undefined,
      undefined,
    ]);
  });

  test("takes what is appended during a flush, which goes with the next one.", async () => {
    await using changelog = await TestChangelog.create();
    await using sink = await createAtLeastOnceSink(changelog.client, changelog.partition());
    const flushes: Promise<void>[] = [];
    for (let i = 0; i < 20; i++) {
      append(sink, "k", `k${i}`);
      flushes.push(sink.flush());
      if (i % 3 === 0) await flushes.at(-1);
    }
    await Promise.all(flushes);
    expect(sink.endOffset).toBe(20);
    expect(valuesOf((await changelog.restore()).entries)).toEqual(Array.from({ length: 20 }, (_, i) => `k${i}`));
  });

  test("repeats what may have been lost with a connection, and writes it once.", async () => {
    await using changelog = await TestChangelog.create();
    const faults = new FaultInjector();
    const client = await changelog.otherClient({ socketFactory: faults.socketFactory });
    await using sink = await createAtLeastOnceSink(client, changelog.partition());
    const lost = faults.arm({ api: "Produce", on: "response", action: "hang-up" });
    append(sink, "a", "a1");
    append(sink, "a", "a2");
    await sink.flush();
    expect(lost.strikes).toBe(1);
    expect(sink.endOffset).toBe(2);
    expect(valuesOf((await changelog.restore()).entries)).toEqual(["a1", "a2"]);
  });

  test("drops what the broker refuses, tells every flush of it, and goes on.", async () => {
    await using changelog = await TestChangelog.create({
      config: { "cleanup.policy": "compact", "max.message.bytes": "1000" },
    });
    await using sink = await createAtLeastOnceSink(changelog.client, changelog.partition());
    append(sink, "a", "a1");
    await sink.flush();
    append(sink, "b", "x".repeat(2_000));
    const refused = [sink.flush()];
    append(sink, "a", "a2");
    refused.push(sink.flush());
    for (const { status, reason } of (await Promise.allSettled(refused)) as PromiseRejectedResult[]) {
      expect(status).toBe("rejected");
      expect(reason).toBeInstanceOf(TransactionAbortedError);
      expect(String(reason)).toMatch(/MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/);
    }
    append(sink, "a", "a3");
    await sink.flush();
    expect(sink.endOffset).toBe(2);
    expect(valuesOf((await changelog.restore()).entries)).toEqual(["a1", "a3"]);
  });

  test("takes nothing while what it dropped is not settled, and goes on when a flush has made up for that.", async () => {
    await using changelog = await TestChangelog.create({
      config: { "cleanup.policy": "compact", "max.message.bytes": "1000" },
    });
    const faults = new FaultInjector();
    const client = await changelog.otherClient({ socketFactory: faults.socketFactory });
    await using sink = await createAtLeastOnceSink(client, changelog.partition());
    const unreachable = faults.arm({ api: "InitProducerId", on: "request", action: "hang-up", times: Infinity });
    append(sink, "a", "x".repeat(2_000));
    await expect(sink.flush()).rejects.toThrow(TransactionAbortedError);
    expect(() => append(sink, "a", "a1")).toThrow(TransactionAbortedError);
    await expect(sink.flush()).rejects.toMatchObject({ connectionLost: true });
    expect(() => append(sink, "a", "a1")).toThrow(TransactionAbortedError);
    unreachable.disarm();
    await sink.flush();
    append(sink, "a", "a2");
    await sink.flush();
    expect(sink.endOffset).toBe(1);
    expect(valuesOf((await changelog.restore()).entries)).toEqual(["a2"]);
  });

  test("for a partition that is not there is refused.", async () => {
    await using changelog = await TestChangelog.create();
    await expect(createAtLeastOnceSink(changelog.client, changelog.partition(1))).rejects.toThrow(
      UnknownPartitionError,
    );
  });
});

describe("a standby copy's tail", () => {
  test("applies what is committed, whatever happens to its connections, until it is stopped.", async () => {
    await using changelog = await TestChangelog.create();
    const faults = new FaultInjector();
    const client = await changelog.otherClient({ socketFactory: faults.socketFactory });
    const entries: Entry[] = [];
    const stop = new AbortController();
    const tail = tailChangelog({
      client,
      ...changelog.partition(),
      from: -1,
      apply: keepIn(entries),
      signal: stop.signal,
      clock: systemClock,
      logger: silentLogger,
    });
    const applied = (values: readonly string[]): Promise<unknown> =>
      vi.waitFor(() => expect(valuesOf(entries)).toEqual(values), { timeout: 20_000, interval: 10 });
    await changelog.transaction("commit", ["a1"]);
    await applied(["a1"]);
    faults.hangUp();
    await changelog.transaction("abort", ["a2"]);
    await changelog.transaction("commit", ["a3"]);
    await applied(["a1", "a3"]);
    const open = await changelog.openTransaction(["a4"]);
    const answers = faults.record("Fetch", "response");
    await vi.waitFor(() => expect(answers.length).toBeGreaterThan(1), { timeout: 10_000, interval: 10 });
    expect(valuesOf(entries)).toEqual(["a1", "a3"]);
    await open.commit([]);
    await applied(["a1", "a3", "a4", "last"]);
    const settled = await changelog.settled();
    stop.abort();
    expect([settled, settled - 1]).toContain(await tail);
  });

  test("and restores share requests: many that wait hold nobody up.", async () => {
    await using changelog = await TestChangelog.create({ partitions: 20 });
    for (const partition of [0, 1]) await changelog.transaction("commit", ["a1"], partition);
    const faults = new FaultInjector();
    const client = await changelog.otherClient({ socketFactory: faults.socketFactory });
    const seen = new Set<number>();
    const stops = Array.from({ length: 19 }, () => new AbortController());
    const tails = stops.map(({ signal }, index) => {
      const apply = (): void => void seen.add(index + 1);
      const rest = { from: -1, apply, signal, clock: systemClock, logger: silentLogger };
      return tailChangelog({ client, ...changelog.partition(index + 1), ...rest });
    });
    await vi.waitFor(() => expect([...seen]).toEqual([1]), { timeout: 10_000, interval: 10 });
    const fetches = faults.record("Fetch");
    for (let i = 0; i < 5; i++) {
      let before = 0;
      const listener = { onRestoreStart: () => void (before = fetches.length) };
      expect(valuesOf((await changelog.restore({ client, listener })).entries)).toEqual(["a1"]);
      // Each with a request of its own, all others would be answered first, one long poll after the other.
      expect(fetches.length - before).toBeLessThan(5);
    }
    for (const stop of stops) stop.abort();
    await Promise.all(tails);
  });
});

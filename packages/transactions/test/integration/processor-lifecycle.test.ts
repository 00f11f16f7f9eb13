import { createHeaders, silentLogger, stringSerde } from "@eos/core";
import { createExactlyOnceProcessor, type ProcessorState } from "@eos/transactions";
import { describeAnomalies } from "@tooling/verify";
import { describe, expect, it } from "vitest";
import { checkCopy } from "../copy-run.ts";
import { InputStream } from "../input-stream.ts";
import { Latch } from "../latch.ts";
import { numbered, TestTopics } from "../test-topics.ts";

interface CopiedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: string | null;
}

describe("states", () => {
  it("go CREATED, REBALANCING, RUNNING, PENDING_SHUTDOWN, NOT_RUNNING, and are told in that order", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    const told: (readonly [ProcessorState, ProcessorState])[] = [];
    const observed: string[] = [];
    const processor = topics.processor({
      transform: ({ value }) => ({ value }),
      onStateChange: (next, previous) => void told.push([previous, next]),
      observer: { stateChanged: ({ next }) => void observed.push(next) },
    });
    expect(processor.state).toBe("CREATED");
    await processor.start();
    await topics.drained();
    expect(processor.state).toBe("RUNNING");
    await processor.close();
    await processor.finished;
    expect(told).toEqual([
      ["CREATED", "REBALANCING"],
      ["REBALANCING", "RUNNING"],
      ["RUNNING", "PENDING_SHUTDOWN"],
      ["PENDING_SHUTDOWN", "NOT_RUNNING"],
    ]);
    expect(observed).toEqual(told.map(([, next]) => next));
  });

  it("go on to ERROR when it cannot go on, also when onStateChange throws", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(1));
    const told: ProcessorState[] = [];
    const processor = topics.processor({
      transform: () => {
        throw new Error("no");
      },
      onStateChange: (next) => {
        told.push(next);
        throw new Error("listener");
      },
    });
    await processor.start();
    await expect(processor.finished).rejects.toThrow("no");
    expect(told).toEqual(["REBALANCING", "RUNNING", "PENDING_ERROR", "ERROR"]);
  });
});

describe("close", () => {
  it.for(["process", "task"] as const)(
    "commits what is done, so that nothing is processed again (scope %s)",
    async (producerScope) => {
      await using topics = await TestTopics.create();
      await topics.write(numbered(500));
      let count = 0;
      const transform = ({ value }: { value: string | null }) => {
        count++;
        return { value };
      };
      const done = new Latch();
      const processor = topics.processor({
        producerScope,
        commitIntervalMs: 60_000,
        transactionTimeoutMs: 120_000,
        transform: (record) => {
          if (count === 499) done.open();
          return transform(record);
        },
      });
      await processor.start();
      await done.opened;
      expect(await topics.visible()).toBe(0);
      await processor.close();
      expect(await topics.values()).toHaveLength(500);
      await topics.process({ producerScope, transform });
      expect(count).toBe(500);
      expect(await topics.values()).toHaveLength(500);
    },
  );

  it("waits for promises that are outstanding", async () => {
    await using topics = await TestTopics.create({ inputPartitions: 2 });
    await topics.write(numbered(1));
    await topics.write([{ partition: 1, key: "key", value: "value 1" }]);
    const started = new Latch();
    const release = new Latch();
    let outstanding = 0;
    const processor = topics.processor({
      transform: async ({ value }) => {
        if (++outstanding === 2) started.open();
        await release.opened;
        return { value };
      },
    });
    await processor.start();
    await started.opened;
    const closed = processor.close();
    release.open();
    await closed;
    expect((await topics.values()).toSorted()).toEqual(["value 0", "value 1"]);
  });
});

describe("health and metrics", () => {
  it("show the state, what is held and what was committed", async () => {
    await using topics = await TestTopics.create({ inputPartitions: 3 });
    await topics.write(numbered(10));
    const committed: { readonly transactionalId: string; readonly records: number }[] = [];
    const processor = topics.processor({
      transform: ({ value }) => [{ value }, { value }],
      observer: { transactionCommitted: (event) => void committed.push(event) },
    });
    expect(processor.health()).toMatchObject({ state: "CREATED", isLive: true, isReady: false, assignedPartitions: 0 });
    await processor.start();
    await topics.drained();
    const health = processor.health();
    expect(health).toMatchObject({ state: "RUNNING", isLive: true, isReady: true, assignedPartitions: 3, error: null });
    expect(health.sinceLastHeartbeatMs).toBeLessThan(5_000);
    const metrics = processor.metrics();
    expect(metrics).toMatchObject({ recordsWritten: 20, recordsSkipped: 0, aborts: {}, fences: 0 });
    expect(metrics.commits).toBe(committed.length);
    expect(committed.reduce((sum, { records }) => sum + records, 0)).toBe(20);
    expect(committed[0]?.transactionalId).toMatch(new RegExp(`^${topics.applicationId}-`));
    expect(metrics.commitLatencyMs.max).toBeGreaterThan(0);
    await processor.close();
    expect(processor.health()).toMatchObject({ state: "NOT_RUNNING", isLive: false, isReady: false });
  });

  it("show how long a transaction has been open", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(3));
    const seen = new Latch();
    const processor = topics.processor({
      commitIntervalMs: 60_000,
      transform: ({ value, offset }) => {
        if (offset === 2) seen.open();
        return { value };
      },
    });
    await processor.start();
    await seen.opened;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(processor.health().openTransactionAgeMs).toBeGreaterThan(10);
    expect(processor.metrics().openTransactionAgeMs).toBeGreaterThan(10);
    await processor.close();
    expect(processor.metrics().openTransactionAgeMs).toBe(0);
  });
});

describe("at_least_once", () => {
  it("writes outside of transactions and commits offsets after the outputs", async () => {
    await using topics = await TestTopics.create();
    await topics.write(numbered(100));
    const processor = await topics.process({
      processingGuarantee: "at_least_once",
      commitIntervalMs: 50,
      transform: ({ value }) => ({ value }),
    });
    expect(await topics.values()).toEqual(numbered(100).map(({ value }) => value));
    // No transaction, no marker: the end is exactly the number of records.
    expect(await topics.client.admin.listOffsets([{ topic: topics.output, partition: 0 }], "latest")).toMatchObject([
      { offset: 100 },
    ]);
    expect(processor.metrics().recordsWritten).toBe(100);
  });
});

describe("a transaction older than its timeout", () => {
  it.for(["process", "task"] as const)(
    "is aborted by the broker and replayed, exactly once (scope %s)",
    async (producerScope) => {
      await using topics = await TestTopics.create();
      await topics.write(numbered(100));
      const told: string[] = [];
      let blocked = false;
      const processor = await topics.process({
        producerScope,
        transactionTimeoutMs: 1_000,
        commitIntervalMs: 600,
        maxBatchBytes: 512,
        onFenced: ({ message }) => void told.push(message),
        onInvalidEpoch: ({ message }) => void told.push(message),
        transform: async ({ value, offset }) => {
          if (offset === 60 && !blocked) {
            blocked = true;
            // What was processed so far leaves; then nothing of this process runs until the broker has given up on it.
            await new Promise((resolve) => setTimeout(resolve, 200));
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);
          }
          return { value };
        },
      });
      expect(told.length).toBeGreaterThan(0);
      expect(processor.metrics().fences).toBeGreaterThan(0);
      expect(await topics.values()).toEqual(numbered(100).map(({ value }) => value));
    },
  );
});

describe("a rebalance", () => {
  it.for(["process", "task"] as const)(
    "from two members to three and back keeps each record exactly once (scope %s)",
    async (producerScope) => {
      await using topics = await TestTopics.create({ inputPartitions: 6, outputPartitions: 6 });
      const { brokers, applicationId, input, output } = topics;
      const join = async () => {
        const running = new Latch();
        const processor = createExactlyOnceProcessor<string, string>({
          brokers,
          applicationId,
          producerScope,
          input: { topic: input, key: stringSerde, value: stringSerde },
          output: { topic: output, key: stringSerde, value: stringSerde },
          logger: silentLogger,
          commitIntervalMs: 50,
          transform: ({ topic, partition, offset, value }) => ({
            value: String(value).toUpperCase(),
            headers: createHeaders({ "eos-source": `${topic}-${partition}@${offset}` }),
          }),
          observer: {
            rebalanced: ({ assigned }) => {
              if (assigned.length > 0) running.open();
            },
          },
        });
        await processor.start();
        await running.opened;
        return processor;
      };
      await using stream = await InputStream.start({ brokers, topic: input, recordsPerSecond: 3_000 });
      await using first = await join();
      await using second = await join();
      const third = await join();
      await third.close();
      const fourth = await join();
      await fourth.close();
      await stream.stop();
      await topics.drained();
      expect(first.state).toBe("RUNNING");
      expect(second.state).toBe("RUNNING");
      const result = await checkCopy(topics.client, topics, "own");
      expect(describeAnomalies(result.anomalies)).toBe("");
      expect(result).toMatchObject({ outputs: result.inputs, wrongValues: [] });
    },
  );

  it("during a promise that takes longer than is waited for processes its record, and those behind it, again", async () => {
    await using topics = await TestTopics.create({ inputPartitions: 2 });
    for (const partition of [0, 1]) await topics.write(numbered(20).map((record) => ({ ...record, partition })));
    const stuck = new Latch();
    const release = new Latch();
    let held = 0;
    const copy = ({ topic, partition, offset, value }: CopiedRecord) => ({
      value: String(value).toUpperCase(),
      headers: createHeaders({ "eos-source": `${topic}-${partition}@${offset}` }),
    });
    const first = topics.processor({
      transform: async (record) => {
        if (record.offset === 5 && ++held === 2) stuck.open();
        if (record.offset === 5) await release.opened;
        return copy(record);
      },
    });
    await first.start();
    await stuck.opened;
    const assigned = new Latch();
    const second = topics.processor({ transform: copy, observer: { rebalanced: () => assigned.open() } });
    await second.start();
    await assigned.opened;
    release.open();
    await topics.drained();
    const result = await checkCopy(topics.client, topics, "own");
    expect(describeAnomalies(result.anomalies)).toBe("");
    expect(result).toMatchObject({ inputs: 40, outputs: 40, wrongValues: [] });
  });
});

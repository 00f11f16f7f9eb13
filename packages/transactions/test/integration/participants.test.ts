import type { Client } from "@eos/client";
import { EosError, type Severity, silentLogger, stringSerde, type TransactionParticipant } from "@eos/core";
import { createExactlyOnceProcessor, type TransformContext } from "@eos/transactions";
import { uniqueName } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";
import { InputStream } from "../input-stream.ts";
import { Latch } from "../latch.ts";
import { changelogSums, countsOf, SumStore, type Sums } from "../sum-store.ts";
import { recordingLogger, type TestRecord, TestTopics } from "../test-topics.ts";

const KEYS = 7;
const trouble = (severity: Severity): EosError => new EosError("trouble", { code: "EOS_TEST", severity });

function keyed(count: number, partition = 0): TestRecord[] {
  return Array.from({ length: count }, (_, index) => ({ partition, key: `key ${index % KEYS}`, value: "1" }));
}

interface KeyedRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
}

/** Counts records per key, one output a record. */
function counting(store: SumStore) {
  return ({ key }: KeyedRecord, context: TransformContext) => ({
    value: String(context.getStateStore(store).add(String(key), 1)),
  });
}

/** Each record of the input counted once: in the outputs, one by one, and in the changelog. */
async function expectCountedOnce(topics: TestTopics, perKey: ReadonlyMap<string, number>): Promise<void> {
  const counts = await countsOf(topics);
  expect(new Map([...counts].map(([key, values]) => [key, values.length]))).toEqual(perKey);
  for (const values of counts.values()) expect(values).toEqual(values.map((_, index) => index + 1));
  expect(await changelogSums(topics)).toEqual(perKey);
}

function countsPerKey(...writes: readonly (readonly TestRecord[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { key } of writes.flat()) counts.set(String(key), (counts.get(String(key)) ?? 0) + 1);
  return counts;
}

describe("a processor with a store", () => {
  it.for([
    ["exactly_once_v2", "process"],
    ["exactly_once_v2", "task"],
    ["at_least_once", "process"],
  ] as const)("keeps it across restarts (%s, scope %s)", async ([processingGuarantee, producerScope]) => {
    await using topics = await TestTopics.create();
    const options = { processingGuarantee, producerScope, commitIntervalMs: 20 };
    const records = keyed(500);
    for (const share of [records.slice(0, 200), records.slice(200)]) {
      await topics.write(share);
      // Another process: it has nothing but the changelog.
      const store = new SumStore();
      await topics.process({ ...options, stores: [store], transform: counting(store) });
      expect(store.log).toEqual(["0_0 open", "0_0 restore", "0_0 close"]);
    }
    await expectCountedOnce(topics, countsPerKey(records));
  });

  it("needs no output, and says so when there is a record for one", async () => {
    await using topics = await TestTopics.create();
    await topics.write(keyed(10));
    const store = new SumStore();
    const client = { brokers: topics.brokers, applicationId: topics.applicationId, logger: silentLogger };
    const input = { topic: topics.input, key: stringSerde, value: stringSerde };
    const processor = createExactlyOnceProcessor<string, string>({
      ...client,
      input,
      stores: [store],
      transform: ({ key }, context) => void context.getStateStore<Sums>("sums").add(String(key), 2),
    });
    await processor.start();
    await topics.drained();
    await processor.close();
    expect((await changelogSums(topics)).get("key 0")).toBe(4);

    await topics.write(keyed(1));
    const wrong = createExactlyOnceProcessor<string, string>({
      ...client,
      input,
      stores: [store],
      transform: ({ value }) => ({ value }),
    });
    await wrong.start();
    await expect(wrong.finished).rejects.toMatchObject({ cause: { code: "EOS_INVALID_TRANSFORM_RESULT" } });
  });

  it("tells transform its task, and a store it does not have by name", async () => {
    await using topics = await TestTopics.create({ inputPartitions: 2 });
    await topics.write(keyed(1, 1));
    const store = new SumStore();
    const contexts = new Set<TransformContext>();
    const processor = topics.processor({
      stores: [store],
      transform: (_record, context) => {
        contexts.add(context);
        context.getStateStore("counts");
      },
    });
    await processor.start();
    await expect(processor.finished).rejects.toThrow('"counts" is not among the processor\'s stores (sums)');
    expect([...contexts]).toMatchObject([{ taskId: "0_1", partition: 1 }]);
  });

  it("is stopped by a store that cannot be prepared, before it joins", async () => {
    await using topics = await TestTopics.create();
    const store: TransactionParticipant<Sums, Client> = {
      name: "sums",
      prepare: () => Promise.reject(trouble("fatal")),
      open: () => Promise.reject(new Error("not reached")),
    };
    const processor = topics.processor({ stores: [store], transform: () => undefined });
    await expect(processor.start()).rejects.toThrow("trouble");
    expect(processor.state).toBe("ERROR");
  });

  it("tells the store of the host, and where its files may lie", async () => {
    await using topics = await TestTopics.create({ inputPartitions: 3 });
    let host: object = {};
    const store = new SumStore();
    const prepare = store.prepare.bind(store);
    store.prepare = (given) => {
      host = given;
      return prepare(given);
    };
    const processor = topics.processor({ stores: [store], stateDir: "/somewhere", transform: () => undefined });
    await processor.start();
    expect(host).toMatchObject({
      applicationId: topics.applicationId,
      stateDir: "/somewhere",
      taskCount: 3,
      replicationFactor: 3,
    });
  });
});

describe("a transaction that is fenced", () => {
  it.for(["process", "task"] as const)("takes the store back with it (scope %s)", async (producerScope) => {
    await using topics = await TestTopics.create();
    const records = keyed(100);
    const store = new SumStore();
    const count = counting(store);
    const ids: string[] = [];
    const processor = topics.processor({
      producerScope,
      stores: [store],
      commitIntervalMs: 20,
      observer: { transactionCommitted: ({ transactionalId }) => void ids.push(transactionalId) },
      transform: async (record, context) => {
        const result = count(record, context);
        if (record.offset > 80 && ids.length > 0) await topics.client.admin.fenceProducer(ids.splice(0)[0] ?? "");
        return result;
      },
    });
    await processor.start();
    await topics.write(records.slice(0, 60));
    await topics.drained();
    await topics.write(records.slice(60));
    await topics.drained();
    await processor.close();
    expect(processor.metrics().fences).toBeGreaterThan(0);
    expect(store.log).toContain("0_0 abort");
    await expectCountedOnce(topics, countsPerKey(records));
  });
});

describe("a store that fails", () => {
  const ways = {
    "inside transform": (sums: Sums) => {
      sums.fail(trouble("abortable"));
      throw new Error("and throws");
    },
    "inside transform, which swallows it": (sums: Sums) => sums.fail(new Error("mine")),
  } as const;

  it.for(Object.keys(ways) as (keyof typeof ways)[])(
    "%s is restored, nothing of it is committed, and no handler is asked",
    async (way) => {
      await using topics = await TestTopics.create();
      const records = keyed(300);
      await topics.write(records);
      const store = new SumStore();
      const count = counting(store);
      const failAt = new Set([50, 120, 299]);
      const processor = await topics.process({
        stores: [store],
        commitIntervalMs: 0,
        onProcessingError: () => "skip",
        transform: (record, context) => {
          const result = count(record, context);
          if (failAt.delete(record.offset)) ways[way](context.getStateStore(store));
          return result;
        },
      });
      expect(failAt.size).toBe(0);
      expect(processor.metrics().recordsSkipped).toBe(0);
      expect(store.log.filter((call) => call === "0_0 abort")).toHaveLength(3);
      await expectCountedOnce(topics, countsPerKey(records));
    },
  );

  it.for(["and rejects", "and goes on as if nothing were"] as const)(
    "inside a promise %s is restored once the promise has settled",
    async (way) => {
      await using topics = await TestTopics.create();
      const records = keyed(60);
      await topics.write(records);
      const store = new SumStore();
      const count = counting(store);
      const failAt = new Set([20, 40]);
      const processor = await topics.process({
        stores: [store],
        commitIntervalMs: 5,
        onProcessingError: () => "skip",
        transform: async (record, context) => {
          const result = count(record, context);
          if (failAt.delete(record.offset)) {
            context.getStateStore(store).fail(trouble("retriable"));
            await new Promise((resolve) => setTimeout(resolve, 50));
            if (way === "and rejects") throw new Error("rejected");
            // What it writes now is dropped with the rest.
            count(record, context);
          }
          return result;
        },
      });
      expect(failAt.size).toBe(0);
      expect(processor.metrics().recordsSkipped).toBe(0);
      await expectCountedOnce(topics, countsPerKey(records));
    },
  );

  it("to take a commit is restored; the commit counts", async () => {
    await using topics = await TestTopics.create();
    const records = keyed(200);
    const failures = [trouble("retriable"), new Error("disk full"), trouble("abortable")];
    const store = new SumStore("sums", {
      onCommitted: () => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
      },
    });
    const processor = topics.processor({ stores: [store], commitIntervalMs: 0, transform: counting(store) });
    await processor.start();
    for (let from = 0; from < records.length; from += 50) {
      await topics.write(records.slice(from, from + 50));
      await topics.drained();
    }
    await processor.close();
    expect(failures).toEqual([]);
    expect(processor.metrics().aborts).toMatchObject({ EOS_TEST: 2, EOS_STATE_FAILED: 1 });
    await expectCountedOnce(topics, countsPerKey(records));
  });

  it("to be restored is not ready meanwhile, and is told of each time", async () => {
    await using topics = await TestTopics.create();
    const records = keyed(100);
    await topics.write(records);
    const failures: Error[] = [];
    let readyWhileRestoring: boolean | null = null;
    const logger = recordingLogger();
    const store = new SumStore("sums", {
      onRestore: () => {
        const failure = failures.shift();
        if (failure === undefined) return;
        readyWhileRestoring = processor.health().isReady;
        throw failure;
      },
    });
    const count = counting(store);
    const processor = topics.processor({
      stores: [store],
      logger,
      transform: (record, context) => {
        if (record.offset === 50 && readyWhileRestoring === null) {
          failures.push(trouble("retriable"), trouble("abortable"));
          context.getStateStore(store).fail(trouble("abortable"));
        }
        return count(record, context);
      },
    });
    await processor.start();
    await topics.drained();
    expect(readyWhileRestoring).toBe(false);
    expect(processor.health().isReady).toBe(true);
    await processor.close();
    expect(logger.entries.filter(({ message }) => message.includes("restoring a store failed"))).toHaveLength(2);
    await expectCountedOnce(topics, countsPerKey(records));
  });

  it("to be restored for good stops the processor", async () => {
    await using topics = await TestTopics.create();
    const store = new SumStore("sums", {
      onRestore: () => {
        throw trouble("fatal");
      },
    });
    const processor = topics.processor({ stores: [store], transform: counting(store) });
    await processor.start();
    await expect(processor.finished).rejects.toThrow("trouble");
    expect(store.log).toEqual(["0_0 open", "0_0 restore", "0_0 close"]);
  });
});

describe("a promise of transform", () => {
  it("is not committed half: what it has written waits for its record", async () => {
    await using topics = await TestTopics.create();
    await topics.write(keyed(30));
    const store = new SumStore();
    const half = new Latch();
    const dead = topics.processor({
      stores: [store],
      commitIntervalMs: 5,
      transactionTimeoutMs: 2_000,
      transform: async ({ key, offset }, context) => {
        const value = String(context.getStateStore(store).add(String(key), 1));
        if (offset === 20) {
          half.open();
          await new Promise(() => {});
        }
        return { value };
      },
    });
    await dead.start();
    await half.opened;
    // Time for many commits, of which none may come.
    await new Promise((resolve) => setTimeout(resolve, 100));
    // A revocation waits for 5 s, and commits nothing of it either.
    await dead.close();
    const successor = new SumStore();
    await topics.process({ stores: [successor], transform: counting(successor) });
    await expectCountedOnce(topics, countsPerKey(keyed(30)));
  });

  it("that outlives its task writes nothing more", async () => {
    await using topics = await TestTopics.create();
    await topics.write(keyed(5));
    const store = new SumStore();
    const half = new Latch();
    const release = new Latch();
    let late: unknown = null;
    const settled = new Latch();
    const dead = topics.processor({
      stores: [store],
      transform: async ({ key, offset }, context) => {
        if (offset === 3) {
          half.open();
          await release.opened;
          try {
            context.getStateStore(store).add(String(key), 1);
          } catch (error) {
            late = error;
          }
          settled.open();
        }
        return { value: String(context.getStateStore(store).add(String(key), 1)) };
      },
    });
    await dead.start();
    await half.opened;
    await dead.close();
    release.open();
    await settled.opened;
    expect(late).toMatchObject({ message: "the sums are closed" });
  });
});

describe("two inputs", () => {
  /** Two topics that share their state, record by record. */
  async function twoInputs(counts: readonly [number, number]) {
    const one = await TestTopics.create({ inputPartitions: counts[0] });
    const other = uniqueName("in");
    await one.client.admin.createTopics([{ topic: other, partitions: counts[1] }]);
    const text = { key: stringSerde, value: stringSerde };
    return { topics: one, other, input: [one.input, other].map((topic) => ({ topic, ...text })) };
  }

  it.for(["now", "later"] as const)("share the state of a partition number (%s)", async (when) => {
    const { topics, other, input } = await twoInputs([2, 2]);
    await using _topics = topics;
    const records = [
      ...keyed(40, 0),
      ...keyed(40, 1).map((record) => ({ ...record, key: `other ${String(record.key)}` })),
    ];
    await topics.write(records);
    await topics.write(records, {}, other);
    const store = new SumStore();
    const order: string[] = [];
    const processor = topics.processor({
      input,
      stores: [store],
      commitIntervalMs: 10,
      transform: async ({ topic, partition, key }, context) => {
        if (partition === 0) order.push(topic);
        const sums = context.getStateStore(store);
        const sum = sums.get(String(key));
        // Whoever read here what another is about to overwrite would lose it.
        if (when === "later") await new Promise((resolve) => setTimeout(resolve, 1));
        return { value: String(sums.add(String(key), sum + 1 - sums.get(String(key)))) };
      },
    });
    await processor.start();
    await topics.drained();
    await topics.drained(20_000, other);
    await processor.close();
    expect(store.log.filter((call) => call.endsWith("open")).toSorted()).toEqual(["0_0 open", "0_1 open"]);
    await expectCountedOnce(topics, countsPerKey(records, records));
    // Neither waits until the other has nothing left.
    const turns = order.filter((topic, index) => topic !== order[index - 1]).length;
    if (when === "later") expect(turns).toBeGreaterThan(10);
  });

  it("with different numbers of partitions are refused", async () => {
    const { topics, other, input } = await twoInputs([2, 3]);
    await using _topics = topics;
    const store = new SumStore();
    const processor = topics.processor({ input, stores: [store], transform: counting(store) });
    await expect(processor.start()).rejects.toMatchObject({
      code: "EOS_PARTITION_COUNT_MISMATCH",
      partitionCounts: { [topics.input]: 2, [other]: 3 },
    });
  });
});

describe("a rebalance", () => {
  it.for(["process", "task"] as const)(
    "moves the state with the partitions, and keeps open what stays (scope %s)",
    async (producerScope) => {
      await using topics = await TestTopics.create({ inputPartitions: 4, outputPartitions: 4 });
      const { brokers, applicationId, input, output } = topics;
      const stores: SumStore[] = [];
      const join = async () => {
        const running = new Latch();
        const store = new SumStore();
        stores.push(store);
        const processor = createExactlyOnceProcessor<string, string>({
          brokers,
          applicationId,
          producerScope,
          input: { topic: input, key: stringSerde, value: stringSerde },
          output: { topic: output, key: stringSerde, value: stringSerde },
          logger: silentLogger,
          stores: [store],
          commitIntervalMs: 50,
          transform: counting(store),
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
      await using stream = await InputStream.start({ brokers, topic: input, recordsPerSecond: 1_500 });
      await using _first = await join();
      await using _second = await join();
      const third = await join();
      await third.close();
      const written = await stream.stop();
      await topics.drained();
      const counts = await countsOf(topics);
      for (const values of counts.values()) expect(values).toEqual(values.map((_, index) => index + 1));
      expect([...counts.values()].reduce((sum, { length }) => sum + length, 0)).toBe(written);
      expect(await changelogSums(topics)).toEqual(new Map([...counts].map(([key, { length }]) => [key, length])));
      // Which member has which partition is the group's affair; whatever one opens, it closed before.
      for (const { log } of stores) {
        for (const task of ["0_0", "0_1", "0_2", "0_3"]) {
          const ends = log.filter((call) => call === `${task} open` || call === `${task} close`);
          expect(ends).toEqual(ends.map((_, index) => `${task} ${index % 2 === 0 ? "open" : "close"}`));
        }
      }
    },
  );

  it("while a state is being restored ends the restore, and closes it", async () => {
    await using topics = await TestTopics.create({ inputPartitions: 2 });
    await topics.write(keyed(20));
    const restoring = new Latch();
    const store = new SumStore("sums", {
      onRestore: ({ signal }) => {
        restoring.open();
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        );
      },
    });
    const held = topics.processor({ stores: [store], transform: counting(store) });
    await held.start();
    await restoring.opened;
    await held.close();
    expect(store.log.filter((call) => call.endsWith("close")).toSorted()).toEqual(["0_0 close", "0_1 close"]);
    expect(await topics.committed()).toBeLessThanOrEqual(0);
  });
});

import { InvalidTransitionError, silentLogger } from "@eos/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FastClock } from "../fast-clock-fixture.ts";
import { BatchBuffers } from "../records/batch-buffers.ts";
import { AtLeastOnceProtocol } from "./at-least-once-protocol.ts";
import { BatchProducer, isGroupFence } from "./batch-producer.ts";
import { BrokerFixture, type Fate, GROUP, INPUT, TOPIC } from "./broker-fixture.ts";
import { OffsetBatch, type GroupOffsets } from "./group-offsets.ts";
import { TransactionAbortedError } from "./producer-errors.ts";
import { PRODUCER_TRANSITIONS } from "./producer-state.ts";
import { TransactionProtocol } from "./transaction-protocol.ts";

type Guarantee = "TV1" | "TV2" | "at least once";

/** Small, so that a transaction has several batches and some are held while the one before commits. */
const MAX_BATCH_BYTES = 110;

function createProducer(broker: BrokerFixture, guarantee: Guarantee): BatchProducer {
  const clock = new FastClock();
  const { cluster } = broker;
  return new BatchProducer({
    cluster,
    clock,
    buffers: new BatchBuffers(),
    protocol:
      guarantee === "at least once"
        ? new AtLeastOnceProtocol(cluster, clock)
        : new TransactionProtocol({
            cluster,
            clock,
            logger: silentLogger,
            transactionalId: "tx",
            transactionTimeoutMs: 10_000,
            transactionVersion: guarantee === "TV2" ? 2 : 1,
          }),
    maxBatchBytes: MAX_BATCH_BYTES,
    codec: null,
    deliveryTimeoutMs: 10_000,
  });
}

const NO_KEY = Buffer.alloc(0);

async function appender(producer: BatchProducer): Promise<(partition: number, value: string) => void> {
  const { partitions } = await producer.topic(TOPIC);
  return (partition, value) => {
    const output = partitions[partition];
    if (output === undefined) throw new Error(`no partition ${partition}`);
    producer.append(output, 1_000, NO_KEY, -1, -1, value, null, 0, 0);
  };
}

function offsets(broker: BrokerFixture, offset: number): GroupOffsets[] {
  const batch = new OffsetBatch();
  batch.set(INPUT, 0, offset, "");
  return [
    {
      generation: { groupId: GROUP, generationId: broker.generationId, memberId: "m", groupInstanceId: null },
      offsets: batch,
    },
  ];
}

/** Gives the broker's fates out one after the other; when they run out, everything passes. */
function inTurn(fates: readonly Fate[]): () => Fate {
  let next = 0;
  return () => fates[next++] ?? "pass";
}

describe("BatchProducer: legality", () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("append" as const), partition: fc.nat(1) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("commit" as const), awaited: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("abort" as const), awaited: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("init" as const) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("tick" as const) }) },
    // UNKNOWN_PRODUCER_ID, PRODUCER_FENCED, TRANSACTION_ABORTABLE: definite refusals by the broker.
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("refuse" as const), code: fc.constantFrom(59, 90, 120) }) },
  );

  test.each(["TV1", "TV2"] as const)(
    "%s: whatever is called when, only the table's transitions happen, and a record is visible exactly when its own commit resolved.",
    async (guarantee) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: "max" }), async (steps) => {
          const broker = new BrokerFixture(2);
          const producer = createProducer(broker, guarantee);
          const append = await appender(producer);
          const visible: string[][] = [[], []];
          let filling: [number, string][] = [];
          const pending: Promise<unknown>[] = [];
          let refusal: number | null = null;
          broker.fate = (api) => {
            // Only what is refused before the broker acts is known to have no effect.
            if (refusal === null || api === "InitProducerId") return "pass";
            const code = refusal;
            refusal = null;
            return code;
          };
          await producer.init();
          let previous = producer.state;
          let serial = 0;
          const settled = (work: Promise<unknown>): Promise<unknown> =>
            work.catch((error: unknown) => {
              expect(error).toBeInstanceOf(Error);
            });
          const run = async (one: (typeof steps)[number]): Promise<void> => {
            const { state } = producer;
            if (one.kind === "refuse") refusal = one.code;
            else if (one.kind === "tick") await new Promise((resolve) => setImmediate(resolve));
            else if (one.kind === "append") {
              const value = `value-${serial++}`;
              try {
                append(one.partition, value);
                filling.push([one.partition, value]);
              } catch (error) {
                expect(error).toBeInstanceOf(TransactionAbortedError);
                expect(["ready", "in-transaction", "committing"]).not.toContain(state);
              }
            } else if (one.kind === "commit") {
              const mine = filling;
              const isLegal = (PRODUCER_TRANSITIONS[state] as readonly string[]).includes("committing");
              if (isLegal) filling = [];
              const work = producer.commit([]).then(
                () => {
                  for (const [partition, value] of mine) visible[partition]?.push(value);
                },
                (error: unknown) => {
                  if (!isLegal) expect(error).toBeInstanceOf(InvalidTransitionError);
                },
              );
              pending.push(work);
              if (one.awaited) await work;
            } else if (one.kind === "abort") {
              const isLegal = producer.canAbort;
              if (isLegal) filling = [];
              const work = producer.abort().catch((error: unknown) => {
                if (!isLegal) expect(error).toBeInstanceOf(InvalidTransitionError);
              });
              pending.push(work);
              if (one.awaited) await work;
            } else if (state === "fenced") {
              filling = [];
              await settled(producer.init());
            }
          };
          for (const one of steps) {
            await run(one);
            if (producer.state !== previous) previous = producer.state;
            expect(Object.keys(PRODUCER_TRANSITIONS)).toContain(producer.state);
          }
          refusal = null;
          await Promise.all(pending);
          // To an end, so that everything open is decided.
          if (producer.canAbort) await producer.abort();
          else if (producer.state === "fenced") await producer.init();
          expect([broker.committed(0), broker.committed(1)]).toEqual(visible);
          expect(broker.mostInFlight).toBeLessThanOrEqual(1);
        }),
        { numRuns: 300 },
      );
    },
  );

  test("A record that comes while the producer aborts or initialises is refused, and is not in the next transaction.", async () => {
    const broker = new BrokerFixture(1);
    const producer = createProducer(broker, "TV2");
    const append = await appender(producer);
    const initialised = producer.init();
    expect(() => append(0, "too early")).toThrow(TransactionAbortedError);
    expect(() => append(0, "too early again")).toThrow(TransactionAbortedError);
    await initialised;
    append(0, "aborted");
    const aborted = producer.abort();
    expect(() => append(0, "while aborting")).toThrow(TransactionAbortedError);
    expect(() => append(0, "while aborting, again")).toThrow(TransactionAbortedError);
    await aborted;
    append(0, "kept");
    await producer.commit([]);
    expect(broker.committed(0)).toEqual(["kept"]);
  });

  test("A record too large for a batch is refused alone: what is around it is committed.", async () => {
    const broker = new BrokerFixture(1);
    const producer = createProducer(broker, "TV2");
    const append = await appender(producer);
    await producer.init();
    expect(() => append(0, "x".repeat(MAX_BATCH_BYTES))).toThrow(/Record of \d+ bytes/i);
    append(0, "a");
    expect(() => append(0, "x".repeat(MAX_BATCH_BYTES))).toThrow(/Record of \d+ bytes/i);
    append(0, "b");
    await producer.commit([]);
    expect(broker.committed(0)).toEqual(["a", "b"]);
  });

  test("Closed while a commit waits for EndTxn's answer, it gives up; the commit rejects.", async () => {
    const broker = new BrokerFixture(1);
    const producer = createProducer(broker, "TV2");
    const append = await appender(producer);
    await producer.init();
    append(0, "a");
    let endTxns = 0;
    broker.fate = (api) => (api === "EndTxn" && ++endTxns > 0 ? "lost-request" : "pass");
    const committing = producer.commit([]);
    while (endTxns < 3) await new Promise((resolve) => setImmediate(resolve));
    producer.close();
    await expect(committing).rejects.toThrow("lost");
    expect(producer.state).toBe("closed");
  });
});

describe("BatchProducer: a processor on a broker where anything goes wrong", () => {
  const RECORDS = 40;
  const codes = { retriable: [51, 14, 15, 16, 6, 3], abortable: [45, 2, 120, 59, 1_000] };
  const fate: fc.Arbitrary<Fate> = fc.oneof(
    { weight: 6, arbitrary: fc.constant<Fate>("pass") },
    { weight: 2, arbitrary: fc.constantFrom<Fate>("lost-request", "lost-answer") },
    { weight: 2, arbitrary: fc.constantFrom<Fate>(...codes.retriable, ...codes.abortable) },
    // NOT_ENOUGH_REPLICAS_AFTER_APPEND: the broker has it and says no.
    { weight: 1, arbitrary: fc.constant<Fate>([20]) },
  );
  interface Scenario {
    readonly partitions: number;
    readonly fates: readonly Fate[];
    /** Records between two commits, and whether processing goes on while one commits. */
    readonly strides: readonly (readonly [records: number, isPipelined: boolean])[];
    /** At which request the broker's transaction timeout strikes. */
    readonly timeOutAt: number | null;
  }
  const scenario: fc.Arbitrary<Scenario> = fc.record({
    partitions: fc.integer({ min: 1, max: 4 }),
    fates: fc.array(fate, { maxLength: 60, size: "max" }),
    strides: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()), { minLength: 1, maxLength: 8 }),
    timeOutAt: fc.option(fc.nat(40)),
  });

  /** Codes that do not apply to a request would be another broker's bug, so they pass. */
  function applicable(api: string, given: Fate): Fate {
    const isProduce = api === "Produce";
    if (typeof given === "object") return isProduce ? given : "pass";
    if (typeof given !== "number") return given;
    if ([6, 3, 45, 2, 59].includes(given)) return isProduce ? given : "pass";
    if ([14, 15, 16].includes(given)) return isProduce ? "pass" : given;
    return api === "EndTxn" && given !== 51 ? "pass" : given;
  }

  async function process(given: Scenario, guarantee: Guarantee): Promise<BrokerFixture> {
    const broker = new BrokerFixture(given.partitions);
    const producer = createProducer(broker, guarantee);
    const next = inTurn(given.fates);
    let requests = 0;
    broker.fate = (api) => {
      if (requests++ === given.timeOutAt) broker.timeOut();
      return applicable(api, next());
    };
    const recover = async (): Promise<void> => {
      for (;;) {
        try {
          if (producer.canAbort) await producer.abort();
          else await producer.init();
          return;
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }
    };
    await recover();
    const append = await appender(producer);
    let position = 0;
    let turn = 0;
    let committing: Promise<boolean> | null = null;
    while (broker.committedOffset < RECORDS) {
      const [records, isPipelined] = given.strides[turn++ % given.strides.length] as [number, boolean];
      let isWhole = true;
      try {
        for (const end = Math.min(RECORDS, position + records); position < end; position++) {
          append(position % given.partitions, `value-${position}`);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(TransactionAbortedError);
        isWhole = false;
      }
      // The next transaction was filled while this one was on its way.
      isWhole = ((await committing) ?? true) && isWhole;
      committing = null;
      if (isWhole) {
        committing = producer.commit(offsets(broker, position)).then(
          () => true,
          () => false,
        );
        if (!isPipelined || position === RECORDS) {
          isWhole = await committing;
          committing = null;
        }
      }
      if (!isWhole) {
        await recover();
        position = broker.committedOffset;
      }
    }
    return broker;
  }

  function expected(partitions: number): string[][] {
    const logs: string[][] = Array.from({ length: partitions }, () => []);
    for (let position = 0; position < RECORDS; position++) logs[position % partitions]?.push(`value-${position}`);
    return logs;
  }

  test.each(["TV1", "TV2"] as const)(
    "%s: every record is in the output once, in order, with one request in flight per partition.",
    async (guarantee) => {
      await fc.assert(
        fc.asyncProperty(scenario, async (given) => {
          const broker = await process(given, guarantee);
          const logs = Array.from({ length: given.partitions }, (_, partition) => broker.committed(partition));
          expect(logs).toEqual(expected(given.partitions));
          expect(broker.mostInFlight).toBe(1);
        }),
        { numRuns: 400 },
      );
    },
  );

  test("At least once: no record is lost, and first occurrences are in order.", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const broker = await process(given, "at least once");
        const logs = Array.from({ length: given.partitions }, (_, partition) => [
          ...new Set(broker.committed(partition)),
        ]);
        expect(logs).toEqual(expected(given.partitions));
        expect(broker.mostInFlight).toBe(1);
      }),
      { numRuns: 200 },
    );
  });
});

describe("BatchProducer: offsets", () => {
  test("A stale generation is refused, tells itself from other errors, and nothing of the transaction is visible.", async () => {
    const broker = new BrokerFixture(1);
    const producer = createProducer(broker, "TV2");
    const append = await appender(producer);
    await producer.init();
    append(0, "a");
    const stale = offsets(broker, 1);
    broker.generationId = 2;
    const error: unknown = await producer.commit(stale).catch((e: unknown) => e);
    expect(isGroupFence(error)).toBe(true);
    await producer.abort();
    expect(broker.committed(0)).toEqual([]);
    expect(broker.committedOffset).toBe(0);
  });

  test("After a commit each partition's end offset is where its log ends, also when an answer was lost on the way.", async () => {
    const broker = new BrokerFixture(2);
    const producer = createProducer(broker, "at least once");
    const append = await appender(producer);
    await producer.init();
    const { partitions } = await producer.topic(TOPIC);
    const ends = (): number[] => partitions.map(({ endOffset }) => endOffset);
    append(0, "a");
    append(0, "b");
    await producer.commit([]);
    expect(ends()).toEqual([2, -1]);
    broker.fate = inTurn(["lost-answer"]);
    append(0, "c");
    append(1, "d");
    await producer.commit([]);
    expect(ends()).toEqual([3, 1]);
    expect([broker.committed(0), broker.committed(1)]).toEqual([["a", "b", "c"], ["d"]]);
  });

  test("A transaction may consist of offsets alone.", async () => {
    for (const guarantee of ["TV1", "TV2"] as const) {
      const broker = new BrokerFixture(1);
      const producer = createProducer(broker, guarantee);
      await producer.init();
      await producer.commit(offsets(broker, 5));
      expect(broker.committedOffset).toBe(5);
      expect(broker.hasOpenTransaction).toBe(false);
    }
  });

  test("A commit without records and offsets asks the broker nothing.", async () => {
    const broker = new BrokerFixture(1);
    const producer = createProducer(broker, "TV2");
    await producer.init();
    await producer.commit([]);
    expect(broker.requests).toEqual(["InitProducerId"]);
  });
});

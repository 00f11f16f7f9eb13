import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BatchRecordError } from "../errors.ts";
import type { ErrorAnswer, RecordOutcome } from "../handler.ts";
import type { DeliveredBatch } from "./batch-work.ts";
import type { HandlingOptions } from "./handling.ts";
import { type FixtureBatch, quiet, WorkBench } from "./work-fixture.ts";
import { batchByBatch } from "./work-kind.ts";

type Handle = (offsets: readonly number[], attempt: number) => void | Promise<void>;

function benchOf(handle: Handle, maxBatchRecords = 500, options: Partial<HandlingOptions<DeliveredBatch>> = {}) {
  const batches: number[][] = [];
  const kind = batchByBatch<unknown, unknown>(({ records }, { attempt }) => {
    const offsets = records.map(({ offset }) => offset);
    batches.push(offsets);
    return handle(offsets, attempt);
  }, maxBatchRecords);
  return { bench: new WorkBench(kind, options), batches };
}

const records = (baseOffset: number, count: number, nextOffset?: number): FixtureBatch => ({
  baseOffset,
  keys: Array.from({ length: count }, () => "k"),
  ...(nextOffset === undefined ? {} : { nextOffset }),
});
const marker = (baseOffset: number): FixtureBatch => ({ baseOffset, keys: [] });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("BatchWork", () => {
  it("gathers over fetched batches up to maxBatchRecords, and passes over markers between them", async () => {
    const { bench, batches } = benchOf(() => {}, 4);
    const work = bench.begin();
    bench.fetched(work, records(0, 3), marker(3), records(4, 3), marker(7));
    await quiet();
    expect(batches).toEqual([
      [0, 1, 2, 4],
      [5, 6],
    ]);
    expect(work.tracker.position).toBe(8);
    expect([work.queue.records, work.queue.bytes]).toEqual([0, 0]);
    expect(bench.metrics.consumed).toBe(6);
  });

  it("goes beyond markers when there is nothing else, and says that it may be committed", async () => {
    const { bench, batches } = benchOf(() => {});
    const work = bench.begin();
    bench.fetched(work, marker(0), marker(1), { baseOffset: 2, keys: [], nextOffset: 9 });
    await quiet();
    expect(batches).toEqual([]);
    expect(work.tracker.position).toBe(9);
    expect(bench.due).toBeGreaterThan(0);
    expect(work.hasProgressed).toBe(true);
  });

  it("counts what lies behind a batch as completed only when its records are", async () => {
    let resolve = (): void => {};
    const { bench } = benchOf(() => new Promise((settle) => (resolve = settle)));
    const work = bench.begin();
    bench.fetched(work, records(0, 2, 5), marker(5));
    await quiet();
    expect(work.tracker.position).toBe(0);
    resolve();
    await quiet();
    expect(work.tracker.position).toBe(6);
  });

  it("leaves out what was completed before a restart", async () => {
    const { bench, batches } = benchOf(() => {}, 3);
    const work = bench.begin(0, 1, [
      { from: 2, to: 4 },
      { from: 6, to: 8 },
    ]);
    bench.fetched(work, records(0, 10));
    await quiet();
    expect(batches).toEqual([
      [1, 4, 5],
      [8, 9],
    ]);
    expect(work.tracker.position).toBe(10);
  });

  it("handles one batch of a partition at a time, and those of others beside it", async () => {
    const { bench, batches } = benchOf(() => new Promise(() => {}), 2);
    for (const partition of [0, 1]) bench.fetched(bench.begin(partition), records(0, 4));
    await quiet();
    expect(batches).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it("starts nothing behind a batch that was answered 'stop' at once, however often it is resumed", async () => {
    const { bench, batches } = benchOf(() => {
      throw new Error("broken");
    }, 2);
    const work = bench.begin();
    bench.fetched(work, records(0, 6));
    await quiet();
    bench.scheduler.resume(work);
    bench.scheduler.kick();
    await quiet();
    expect(batches).toEqual([[0, 1]]);
    expect(work.tracker.position).toBe(0);
    expect(bench.stops).toHaveLength(1);
  });

  const outcomes = { skip: "skipped", "dead-letter": "dead-lettered" } as const;
  const cases = (["at once", "later"] as const).flatMap((when) =>
    ([0, 1, 3] as const).flatMap((index) =>
      (["retry", "skip", "dead-letter", "stop"] as const).map((answer) => ({ when, index, answer })),
    ),
  );

  it.each(cases)(
    "acts on a BatchRecordError for record $index, thrown $when, by the answer '$answer'",
    async (each) => {
      const { when, index, answer } = each;
      let isFirst = true;
      const asked: unknown[] = [];
      const results: [number, RecordOutcome][] = [];
      const dead: number[] = [];
      const { bench, batches } = benchOf(
        () => {
          if (!isFirst) return;
          isFirst = false;
          const error = new BatchRecordError(index, new Error("cause"));
          if (when === "later") return Promise.reject(error);
          throw error;
        },
        500,
        {
          onError: (error, { offset }, attempt) => (asked.push([(error as Error).message, offset, attempt]), answer),
          onResult: ({ offset }, { outcome }) => results.push([offset, outcome]),
          deadLetter: { send: ({ offset }) => void dead.push(offset) },
        },
      );
      const work = bench.begin();
      bench.fetched(work, records(0, 4), marker(4));
      await quiet();
      vi.advanceTimersByTime(100);
      await quiet();
      expect(asked).toEqual([["cause", index, 1]]);
      const all = [0, 1, 2, 3];
      const rest = all.slice(answer === "retry" ? index : index + 1);
      if (answer === "stop") {
        expect(batches).toEqual([all]);
        expect(work.tracker.position).toBe(index);
        expect(bench.stops).toMatchObject([{ record: { offset: index } }]);
        return;
      }
      expect(batches).toEqual(rest.length === 0 ? [all] : [all, rest]);
      expect(work.tracker.position).toBe(5);
      const outcomeOf = (offset: number): RecordOutcome =>
        answer !== "retry" && offset === index ? outcomes[answer] : "handled";
      expect(results.toSorted(([a], [b]) => a - b)).toEqual(all.map((offset) => [offset, outcomeOf(offset)]));
      expect(dead).toEqual(answer === "dead-letter" ? [index] : []);
      expect(bench.metrics).toMatchObject({
        consumed: 4,
        skipped: answer === "skip" ? 1 : 0,
        deadLettered: answer === "dead-letter" ? 1 : 0,
      });
    },
  );

  it.each<ErrorAnswer>(["retry", "skip", "dead-letter", "stop"])(
    "asks about the first record of a batch that failed as a whole, and acts on all of it by the answer '%s'",
    async (answer) => {
      let isFirst = true;
      const dead: number[] = [];
      const asked: number[] = [];
      const { bench, batches } = benchOf(
        () => {
          if (!isFirst) return;
          isFirst = false;
          throw new Error("all of it");
        },
        3,
        {
          onError: (_error, { offset }) => (asked.push(offset), answer),
          deadLetter: { send: ({ offset }) => void dead.push(offset) },
        },
      );
      const work = bench.begin();
      bench.fetched(work, records(0, 3));
      await quiet();
      vi.advanceTimersByTime(100);
      await quiet();
      expect(asked).toEqual([0]);
      expect(batches).toHaveLength(answer === "retry" ? 2 : 1);
      expect(work.tracker.position).toBe(answer === "stop" ? 0 : 3);
      expect(dead).toEqual(answer === "dead-letter" ? [0, 1, 2] : []);
      expect(bench.metrics.skipped).toBe(answer === "skip" ? 3 : 0);
    },
  );

  it("goes on with the rest at once when a record is skipped at the end of what was fetched", async () => {
    const { bench, batches } = benchOf(
      (offsets) => {
        if (offsets[0] === 0) throw new BatchRecordError(0, "bad");
      },
      500,
      { onError: () => "skip" },
    );
    const work = bench.begin();
    bench.fetched(work, records(0, 3));
    await quiet();
    expect(batches).toEqual([
      [0, 1, 2],
      [1, 2],
    ]);
    expect(work.tracker.position).toBe(3);
  });

  it("takes an index outside the batch for a failure of all of it", async () => {
    const asked: unknown[] = [];
    const { bench } = benchOf(
      () => {
        throw new BatchRecordError(9, "bad");
      },
      500,
      { onError: (error, { offset }) => (asked.push([error instanceof BatchRecordError, offset]), "skip") },
    );
    const work = bench.begin();
    bench.fetched(work, records(0, 2));
    await quiet();
    expect(asked).toEqual([[true, 0]]);
    expect(work.tracker.position).toBe(2);
  });

  it("asks about the same record again when its dead letter failed", async () => {
    let sends = 0;
    const asked: number[] = [];
    const { bench, batches } = benchOf(
      (offsets) => {
        if (offsets[0] === 0) throw new BatchRecordError(1, "bad");
      },
      500,
      {
        onError: (_error, { offset }) => (asked.push(offset), "dead-letter"),
        deadLetter: {
          send: () => {
            if (++sends === 1) throw new Error("no broker");
          },
        },
      },
    );
    const work = bench.begin();
    bench.fetched(work, records(0, 3));
    await quiet();
    vi.advanceTimersByTime(1_000);
    await quiet();
    expect(asked).toEqual([1, 1]);
    expect(batches).toEqual([[0, 1, 2], [2]]);
    expect(bench.metrics.consumed).toBe(3);
  });

  it("completes every record once and in order, whatever fails and is answered", async () => {
    const script = fc.array(
      fc.record({
        fails: fc.constantFrom("no", "no", "whole", "record"),
        index: fc.nat(3),
        isLate: fc.boolean(),
        answer: fc.constantFrom<ErrorAnswer>("retry", "skip", "dead-letter"),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), script, async (maxBatchRecords, turns) => {
        const completed: number[] = [];
        let turn = 0;
        let answer: ErrorAnswer = "skip";
        const { bench } = benchOf(
          () => {
            const { fails, index, isLate, answer: next } = turns[turn++ % turns.length] as (typeof turns)[number];
            answer = next;
            if (fails === "no" || turn > 60) return isLate ? Promise.resolve() : undefined;
            const error = fails === "whole" ? new Error("all") : new BatchRecordError(index, "one");
            if (isLate) return Promise.reject(error);
            throw error;
          },
          maxBatchRecords,
          {
            onError: () => answer,
            onResult: ({ offset }) => completed.push(offset),
            deadLetter: { send: () => {} },
          },
        );
        const work = bench.begin(0, 0, [{ from: 5, to: 7 }]);
        bench.fetched(work, records(0, 4), marker(4), records(5, 4, 12), records(12, 3), marker(15));
        for (let round = 0; round < 70; round++) {
          await quiet(2);
          vi.advanceTimersByTime(10_000);
        }
        expect(completed).toEqual([0, 1, 2, 3, 7, 8, 12, 13, 14]);
        expect(work.tracker.position).toBe(16);
        expect(bench.metrics.consumed).toBe(9);
        expect([work.queue.records, bench.handling.inHand.size]).toEqual([0, 0]);
      }),
      { numRuns: 40 },
    );
  }, 30_000);
});

import { encodeOffsetMetadata } from "@eos/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ErrorAnswer } from "../handler.ts";
import { commitMetadata } from "../offsets/offset-map-budget.ts";
import type { Delivery, UnknownRecord } from "./delivery.ts";
import type { HandlingOptions } from "./handling.ts";
import type { PartitionWork } from "./partition-work.ts";
import type { Ordering } from "./record-work.ts";
import { damagedBatch, type FixtureBatch, quiet, WorkBench } from "./work-fixture.ts";
import { recordByRecord } from "./work-kind.ts";

interface Handled {
  readonly record: UnknownRecord;
  readonly attempt: number;
  resolve(): void;
  reject(error: unknown): void;
}

type BenchOptions = Partial<HandlingOptions<UnknownRecord>> & {
  readonly ordering?: Ordering;
  readonly commitsEachRecord?: boolean;
  readonly concurrency?: number;
  readonly maxOutstanding?: number;
};

/** A bench whose handlers are settled by hand. */
function benchByHand({ ordering = "partition", commitsEachRecord = false, ...options }: BenchOptions = {}) {
  const started: Handled[] = [];
  const handle = (record: UnknownRecord, { attempt }: { readonly attempt: number }): Promise<void> =>
    new Promise((resolve, reject) => started.push({ record, attempt, resolve, reject }));
  const bench = new WorkBench(recordByRecord(handle, { ordering, commitsEachRecord }), options);
  return { bench, started, offsets: () => started.map(({ record }) => record.offset) };
}

/** A bench whose handler returns at once. */
function benchAtOnce(
  handle: (record: UnknownRecord) => void,
  { ordering = "partition", commitsEachRecord = false, ...options }: BenchOptions = {},
) {
  return new WorkBench(recordByRecord(handle, { ordering, commitsEachRecord }), options);
}

const keys = (count: number, key: string | null = "k"): (string | null)[] => Array.from({ length: count }, () => key);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("RecordWork", () => {
  it("handles the records of a partition one after the other", async () => {
    const { bench, started, offsets } = benchByHand();
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: keys(3) });
    await quiet();
    expect(offsets()).toEqual([0]);
    started[0]?.resolve();
    await quiet();
    expect(offsets()).toEqual([0, 1]);
    expect(work.tracker.position).toBe(1);
  });

  it("lets keys go on beside each other, and the records of each one after the other", async () => {
    const { bench, started, offsets } = benchByHand({ ordering: "key" });
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: ["a", "a", "b", null, null, "b"] });
    await quiet();
    expect(offsets()).toEqual([0, 2, 3]);
    started[1]?.resolve();
    await quiet();
    expect(offsets()).toEqual([0, 2, 3, 5]);
    expect(work.tracker.position).toBe(0);
  });

  it("handles records in any order when they are unordered, and no more at a time than it may", async () => {
    const { bench, started, offsets } = benchByHand({ ordering: "unordered", concurrency: 3 });
    bench.fetched(bench.begin(), { baseOffset: 0, keys: keys(5) });
    await quiet();
    expect(offsets()).toEqual([0, 1, 2]);
    started[2]?.resolve();
    await quiet();
    expect(offsets()).toEqual([0, 1, 2, 3]);
  });

  it("does not hand out again what was completed before a restart", async () => {
    const seen: number[] = [];
    const bench = benchAtOnce(({ offset }) => void seen.push(offset), { ordering: "key" });
    const work = bench.begin(0, 2, [{ from: 3, to: 5 }]);
    bench.fetched(work, { baseOffset: 0, keys: keys(7) });
    await quiet();
    expect(seen).toEqual([2, 5, 6]);
    expect(work.tracker.position).toBe(7);
  });

  it("counts markers and compacted offsets as completed once everything before them is", async () => {
    const { bench, started } = benchByHand();
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: keys(1), nextOffset: 4 }, { baseOffset: 4, keys: [] });
    await quiet();
    expect(work.tracker.position).toBe(0);
    started[0]?.resolve();
    await quiet();
    expect(work.tracker.position).toBe(5);
    expect(work.queue.records).toBe(0);
    expect(work.queue.bytes).toBe(0);
  });

  it("hands out nothing more when the handler pauses the partition, and goes on where it was", async () => {
    const seen: number[] = [];
    const bench: WorkBench<UnknownRecord> = benchAtOnce(({ offset }) => {
      seen.push(offset);
      if (offset === 1) bench.works[0]?.pause();
    });
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: keys(4) });
    await quiet();
    expect(seen).toEqual([0, 1]);
    work.queue.paused = false;
    bench.scheduler.resume(work);
    await quiet();
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  it("keeps to a pause that a record's second attempt begins, also with others that are to be tried again", async () => {
    const seen: number[] = [];
    const handle = ({ offset }: UnknownRecord, attempt: number): void => {
      seen.push(offset);
      if (attempt === 1) throw new Error("not yet");
      bench.works[0]?.pause();
    };
    const bench: WorkBench<UnknownRecord> = new WorkBench(
      recordByRecord((record, { attempt }) => handle(record, attempt), {
        ordering: "unordered",
        commitsEachRecord: false,
      }),
      { onError: () => "retry" },
    );
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: keys(2) });
    await quiet();
    // Both timers fire before it is anybody's turn.
    const laterMs = performance.now() + 1_000;
    const now = vi.spyOn(performance, "now").mockReturnValue(laterMs);
    vi.advanceTimersByTime(100);
    await quiet();
    now.mockRestore();
    expect(seen).toEqual([0, 1, 0]);
    work.queue.paused = false;
    bench.scheduler.resume(work);
    await quiet();
    expect(seen).toEqual([0, 1, 0, 1]);
  });

  it("starts nothing behind a record that was answered 'stop' at once, however often it is resumed", async () => {
    const seen: number[] = [];
    const handle = ({ offset }: UnknownRecord): void => {
      seen.push(offset);
      if (offset === 1) throw new Error("broken");
    };
    const bench = benchAtOnce(handle);
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: keys(4) });
    await quiet();
    bench.scheduler.resume(work);
    bench.scheduler.kick();
    await quiet();
    expect(seen).toEqual([0, 1]);
    expect(work.tracker.position).toBe(1);
    expect(bench.stops).toMatchObject([{ code: "EOS_HANDLER", record: { topic: "in", partition: 0, offset: 1 } }]);
  });

  it("passes over nothing that cannot be read, however often it is resumed", async () => {
    const seen: number[] = [];
    const bench = benchAtOnce(({ offset }) => void seen.push(offset));
    const work = bench.begin();
    work.queue.push(damagedBatch({ baseOffset: 0, keys: keys(4) }, 2));
    bench.fetched(work, { baseOffset: 4, keys: keys(2) });
    await quiet();
    bench.scheduler.kick();
    await quiet();
    expect(bench.unreadable).toHaveLength(1);
    expect(seen).toEqual([0, 1]);
    expect(work.tracker.position).toBe(2);
  });

  it("goes on with others when one partition's offset map is full while it waits for a slot", async () => {
    const { bench, started } = benchByHand({ ordering: "unordered", concurrency: 2, maxOutstanding: 2 });
    const [full, other] = [bench.begin(0), bench.begin(1)];
    bench.fetched(full, { baseOffset: 0, keys: keys(9) });
    await quiet();
    bench.fetched(other, { baseOffset: 0, keys: keys(1) });
    await quiet();
    // It asks for a slot before it is full.
    vi.spyOn(full.tracker, "inFlight", "get").mockReturnValue(2);
    bench.slots.mayStart(full);
    started[0]?.resolve();
    await quiet();
    expect(started.some(({ record }) => record.partition === 1)).toBe(true);
  });

  it("gives every partition its turn when handlers return at once that waited for a slot", async () => {
    let release = (): void => {};
    const seen = new Set<number>();
    const handle = (record: UnknownRecord): Promise<void> | void => {
      seen.add(record.partition);
      if (record.partition === 0) return new Promise((resolve) => (release = resolve));
    };
    const bench = new WorkBench(recordByRecord(handle, { ordering: "partition", commitsEachRecord: false }), {
      concurrency: 1,
    });
    const works = [0, 1, 2, 3].map((partition) => bench.begin(partition));
    bench.fetched(works[0] as PartitionWork<UnknownRecord>, { baseOffset: 0, keys: keys(1) });
    await quiet();
    for (const work of works.slice(1)) bench.fetched(work, { baseOffset: 0, keys: keys(5) });
    await quiet();
    expect([...seen]).toEqual([0]);
    release();
    await quiet(20);
    expect([...seen]).toEqual([0, 1, 2, 3]);
    expect(works.map((work) => work.tracker.position)).toEqual([1, 5, 5, 5]);
  });

  it("tells of records that were completed at once beyond one that is still open", async () => {
    const open: (() => void)[] = [];
    const handle = (record: UnknownRecord): Promise<void> | void => {
      if (record.offset === 0) return new Promise((resolve) => open.push(resolve));
    };
    const bench = new WorkBench(recordByRecord(handle, { ordering: "unordered", commitsEachRecord: false }));
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: keys(1) });
    await quiet();
    bench.progressed = 0;
    bench.fetched(work, { baseOffset: 1, keys: keys(3) });
    await quiet();
    expect(work.tracker.position).toBe(0);
    expect(work.hasProgressed).toBe(true);
    expect(bench.progressed).toBeGreaterThan(0);
    expect(commitMetadata(work.tracker, {})).toBe(encodeOffsetMetadata({ completed: [{ from: 1, to: 4 }] }, 0));
  });

  it("waits with the next record until the last one is committed, not something older", async () => {
    const { bench, started, offsets } = benchByHand({ commitsEachRecord: true });
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: keys(3) });
    await quiet();
    started[0]?.resolve();
    await quiet();
    expect(offsets()).toEqual([0]);
    expect(bench.due).toBe(1);
    work.committedPosition = 0;
    work.committed();
    await quiet();
    expect(offsets()).toEqual([0]);
    work.committedPosition = 1;
    work.committed();
    await quiet();
    expect(offsets()).toEqual([0, 1]);
  });

  it("ignores what is in hand after a seek, whose signals fire, and begins at the new position", async () => {
    const signals: AbortSignal[] = [];
    const seen: number[] = [];
    const handle = (record: UnknownRecord, { signal }: { readonly signal: AbortSignal }): Promise<void> => {
      seen.push(record.offset);
      signals.push(signal);
      return new Promise(() => {});
    };
    const bench = new WorkBench(recordByRecord(handle, { ordering: "key", commitsEachRecord: false }));
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: ["a", "b", "a"] });
    await quiet();
    work.seek(10, new Error("moved"));
    expect(signals.map(({ aborted, reason }) => [aborted, (reason as Error).message])).toEqual([
      [true, "moved"],
      [true, "moved"],
    ]);
    expect(bench.handling.inHand.size).toBe(0);
    expect(work.tracker.position).toBe(10);
    expect(work.hasProgressed).toBe(true);
    bench.fetched(work, { baseOffset: 8, keys: ["a", "a", "a", "b"] });
    await quiet();
    expect(seen).toEqual([0, 1, 10, 11]);
  });

  it("goes on to the end of a slice with a lane that is long and handled at once", async () => {
    const bench = benchAtOnce(() => {}, { ordering: "key" });
    const work = bench.begin();
    bench.fetched(work, { baseOffset: 0, keys: keys(300) });
    // Its time is up before it begins: one record at least, and then it is others' turn.
    expect(work.run(0)).toBe("more");
    expect(work.tracker.position).toBeGreaterThan(0);
    await quiet();
    expect(work.tracker.position).toBe(300);
  });
});

type Outcome = "ok" | "fail";
type Timing = "atOnce" | "later";
interface Script {
  readonly timing: Timing;
  readonly outcome: Outcome;
  readonly answer: ErrorAnswer;
  readonly answerTiming: Timing;
}

type Step =
  | { readonly do: "fetch" | "pause" | "resume" | "tick" | "retry"; readonly partition: number }
  | { readonly do: "settle"; readonly pick: number }
  | { readonly do: "seek"; readonly partition: number; readonly offset: number }
  | { readonly do: "drop"; readonly partition: number };

const scripts = fc.array(
  fc.record({
    timing: fc.constantFrom<Timing>("atOnce", "later", "later"),
    outcome: fc.constantFrom<Outcome>("ok", "ok", "ok", "fail"),
    answer: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom<ErrorAnswer>("retry", "skip", "dead-letter") },
      { weight: 1, arbitrary: fc.constant<ErrorAnswer>("stop") },
    ),
    answerTiming: fc.constantFrom<Timing>("atOnce", "later"),
  }),
  { minLength: 1, maxLength: 40, size: "max" },
);

const partition = fc.nat(2);
const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ do: fc.constantFrom("fetch", "tick", "retry"), partition }),
    },
    { weight: 14, arbitrary: fc.record({ do: fc.constant("settle"), pick: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("pause", "resume"), partition }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("seek"), partition, offset: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("drop"), partition }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 60, size: "max" },
);

/** Three records, a marker, three records, and so on. */
const LOG: readonly FixtureBatch[] = Array.from({ length: 10 }, (_, index) =>
  index % 2 === 0
    ? { baseOffset: index * 3, keys: ["a", index % 3 === 0 ? null : "b", index % 4 === 0 ? "c" : "a"] }
    : { baseOffset: index * 3, keys: [], nextOffset: index * 3 + 3 },
);
const LOG_END = 30;
const LOG_OFFSETS = LOG.flatMap(({ baseOffset, keys: ofBatch }) => ofBatch.map((_, index) => baseOffset + index));

/** What must hold of one partition, whatever happens. */
class PartitionModel {
  readonly work: PartitionWork<UnknownRecord>;
  readonly #ordering: Ordering;
  /** Since the last seek. */
  from = 0;
  seeks = 0;
  isDropped = false;
  readonly completed = new Set<number>();
  readonly active = new Map<string, number>();
  readonly stopped = new Set<string>();
  readonly lastOf = new Map<string, number>();

  constructor(work: PartitionWork<UnknownRecord>, ordering: Ordering) {
    this.work = work;
    this.#ordering = ordering;
  }

  laneOf({ offset, key }: UnknownRecord): string {
    if (this.#ordering === "partition") return "all";
    if (this.#ordering === "unordered") return `#${offset}`;
    return key === null ? "none" : (key as Buffer).toString();
  }

  started(record: UnknownRecord, attempt: number): void {
    const { offset } = record;
    const lane = this.laneOf(record);
    expect(this.isDropped, "started although dropped").toBe(false);
    expect(this.work.queue.paused, "started although paused").toBe(false);
    expect(this.stopped.has(lane), "started behind a stop").toBe(false);
    expect(this.completed.has(offset), "started again although completed").toBe(false);
    expect(offset).toBeGreaterThanOrEqual(this.from);
    const before = this.active.get(lane);
    if (attempt > 1) expect(before).toBe(offset);
    else {
      expect(before, "two of a lane at a time").toBeUndefined();
      expect(offset).toBeGreaterThan(this.lastOf.get(lane) ?? -1);
    }
    this.active.set(lane, offset);
    this.lastOf.set(lane, offset);
  }

  ended(record: UnknownRecord): void {
    expect(this.completed.has(record.offset), "completed twice").toBe(false);
    this.completed.add(record.offset);
    expect(this.active.get(this.laneOf(record))).toBe(record.offset);
    this.active.delete(this.laneOf(record));
  }

  moved(from: number): void {
    this.from = from;
    this.seeks++;
    for (const lanes of [this.active, this.lastOf, this.stopped, this.completed]) lanes.clear();
  }

  check(): void {
    const open = LOG_OFFSETS.filter((offset) => offset >= this.from && !this.completed.has(offset));
    expect(this.work.tracker.position).toBeLessThanOrEqual(Math.max(Math.min(...open, LOG_END), this.from));
  }

  /** Everything is completed, but for what waits behind a stop. */
  checkEnd(): void {
    if (this.isDropped) return;
    const open = LOG_OFFSETS.filter((offset) => offset >= this.from && !this.completed.has(offset));
    if (this.stopped.size === 0) {
      expect(open).toEqual([]);
      expect(this.work.tracker.position).toBe(Math.max(LOG_END, this.from));
    } else {
      expect(open.length).toBeGreaterThan(0);
    }
  }
}

describe.each<Ordering>(["partition", "key", "unordered"])("RecordWork with ordering '%s'", (ordering) => {
  it("keeps its promises whatever handlers, answers, seeks, pauses and drops do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), scripts, steps, async (concurrency, script, happening) => {
        const scenario = new Scenario(ordering, concurrency, script);
        for (const step of happening) await scenario.take(step);
        await scenario.finish();
      }),
      { numRuns: 80 },
    );
  }, 60_000);
});

/** Three partitions of a member, their handlers, and the log that is fetched. */
class Scenario {
  readonly #bench: WorkBench<UnknownRecord>;
  readonly #concurrency: number;
  readonly #script: readonly Script[];
  readonly #models: PartitionModel[];
  #open: { readonly record: UnknownRecord; settle(): void }[] = [];
  #turn = 0;
  #isEnding = false;
  /** What callbacks throw would be taken for a handler's failure. */
  #violation: Error | null = null;

  constructor(ordering: Ordering, concurrency: number, script: readonly Script[]) {
    this.#script = script;
    this.#concurrency = concurrency;
    this.#bench = new WorkBench<UnknownRecord>(
      recordByRecord((record, context) => this.#handle(record, context as Delivery<UnknownRecord>), {
        ordering,
        commitsEachRecord: false,
      }),
      {
        concurrency,
        maxOutstanding: 7,
        onError: (_error, record) => this.#answer(record),
        onResult: (record) => this.#check(() => this.#modelOf(record).ended(record)),
        deadLetter: { send: () => {} },
      },
    );
    this.#models = [0, 1, 2].map((index) => new PartitionModel(this.#bench.begin(index), ordering));
  }

  async take(step: Step): Promise<void> {
    const model = this.#models["partition" in step ? step.partition : 0] as PartitionModel;
    const { work } = model;
    switch (step.do) {
      case "fetch":
        this.#fetch(model, 1);
        break;
      case "settle":
        this.#open.splice(step.pick % Math.max(this.#open.length, 1), 1)[0]?.settle();
        break;
      case "pause":
        work.pause();
        break;
      case "resume":
        work.queue.paused = false;
        this.#bench.scheduler.resume(work);
        break;
      case "retry":
        vi.advanceTimersByTime(150);
        break;
      case "seek":
        if (model.isDropped) break;
        model.moved(step.offset);
        work.seek(step.offset, new Error("moved"));
        break;
      case "drop":
        model.isDropped = true;
        work.drop(new Error("dropped"));
        break;
      case "tick":
        await quiet(1);
    }
    this.#checkAll();
  }

  #checkAll(): void {
    if (this.#violation !== null) throw this.#violation;
    for (const model of this.#models) model.check();
    expect(this.#bench.handling.inHand.size).toBeLessThanOrEqual(this.#concurrency);
    expect(this.#bench.unreadable).toEqual([]);
  }

  #check(rule: () => void): void {
    try {
      rule();
    } catch (error) {
      this.#violation ??= error as Error;
    }
  }

  /** From now on everything succeeds; then nothing may be left undone. */
  async finish(): Promise<void> {
    this.#isEnding = true;
    for (const model of this.#models) {
      this.#fetch(model, LOG.length);
      model.work.queue.paused = false;
      this.#bench.scheduler.resume(model.work);
    }
    for (let idleRounds = 0; idleRounds < 4; idleRounds++) {
      if (this.#open.length > 0) idleRounds = 0;
      for (const { settle } of this.#open.splice(0)) settle();
      vi.advanceTimersByTime(10_000);
      await quiet(3);
      this.#checkAll();
    }
    for (const model of this.#models) model.checkEnd();
    expect(this.#bench.handling.inHand.size).toBe(0);
  }

  #modelOf(record: UnknownRecord): PartitionModel {
    return this.#models[record.partition] as PartitionModel;
  }

  #fetch({ work, isDropped }: PartitionModel, count: number): void {
    if (isDropped) return;
    const wanted = LOG.filter(({ baseOffset, keys: { length }, nextOffset }) => {
      return (nextOffset ?? baseOffset + length) > work.queue.position;
    });
    this.#bench.fetched(work, ...wanted.slice(0, count));
  }

  #handle(record: UnknownRecord, delivery: Delivery<UnknownRecord>): Promise<void> | void {
    const { timing, outcome } = this.#next();
    this.#check(() => this.#modelOf(record).started(record, delivery.attempt));
    this.#check(() => expect(this.#bench.handling.inHand.size, "above the limit").toBeLessThan(this.#concurrency));
    const isFailing = outcome === "fail" && !this.#isEnding;
    if (timing === "atOnce") {
      if (isFailing) throw new Error("at once");
      return;
    }
    return new Promise((resolve, reject) => {
      const settle = (): void => (isFailing ? reject(new Error("later")) : resolve());
      this.#open.push({ record, settle });
    });
  }

  #answer(record: UnknownRecord): ErrorAnswer | Promise<ErrorAnswer> {
    const { answer, answerTiming } = this.#next();
    const model = this.#modelOf(record);
    const { seeks } = model;
    const give = (): ErrorAnswer => {
      const isStop = answer === "stop" && !model.isDropped && model.seeks === seeks;
      if (isStop) model.stopped.add(model.laneOf(record));
      return answer;
    };
    if (answerTiming === "atOnce") return give();
    return new Promise((resolve) => this.#open.push({ record, settle: () => resolve(give()) }));
  }

  #next(): Script {
    return this.#script[this.#turn++ % this.#script.length] as Script;
  }
}

import { stringSerde } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyValue } from "../key-value/key-value-store.ts";
import type { ValueAndTimestamp } from "../key-value/value-form.ts";
import { all } from "../testing/contract.ts";
import { checkModel, type Operation, type Reference } from "../../test/store-model.ts";
import {
  type ReadOnlyTimestampedWindowStore,
  type TimestampedWindowStore,
  timestampedWindowStore,
} from "./window-store.ts";
import type { Windowed } from "./windowed.ts";

const SHAPE = { windowSizeMs: 10, retentionMs: 100, segmentIntervalMs: 30 };

type Store = TimestampedWindowStore<string, string>;
type Value = ValueAndTimestamp<string>;

interface Put {
  readonly key: string;
  readonly start: number;
  readonly value: Value;
}

/** All puts in a list, and the rules of time. */
class ReferenceList implements Reference<ReferenceList> {
  readonly #retainDuplicates: boolean;
  #puts: readonly Put[] = [];
  #streamTime = -1;

  constructor(retainDuplicates: boolean) {
    this.#retainDuplicates = retainDuplicates;
  }

  clone(): ReferenceList {
    const copy = new ReferenceList(this.#retainDuplicates);
    copy.#puts = this.#puts;
    copy.#streamTime = this.#streamTime;
    return copy;
  }

  put(key: string, value: Value | null, start: number): void {
    if (!this.#isLive(start) || (value === null && this.#retainDuplicates)) return;
    this.#streamTime = Math.max(this.#streamTime, start);
    const others = this.#puts.filter((put) => this.#retainDuplicates || put.key !== key || put.start !== start);
    this.#puts = value === null ? others : [...others, { key, start, value }];
  }

  last(key: string, start: number): Value | null {
    return this.find((put) => put.key === key && put.start === start).at(-1)?.value ?? null;
  }

  find(isWanted: (put: Put) => boolean): Put[] {
    return this.#puts.filter((put) => this.#isLive(put.start) && isWanted(put)).toSorted(inOrder);
  }

  #isLive(start: number): boolean {
    return start > this.#streamTime - SHAPE.retentionMs;
  }
}

/** Those of one key and window stay as they were put. */
function inOrder(a: Put, b: Put): number {
  const segment = (put: Put): number => Math.floor(put.start / SHAPE.segmentIntervalMs);
  return segment(a) - segment(b) || bytesOf(a).compare(bytesOf(b));
}

function bytesOf({ key, start }: Put): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(BigInt(start));
  return Buffer.concat([Buffer.from(key), time]);
}

function isBetween(key: string, from: string | null, to: string | null): boolean {
  const bytes = Buffer.from(key);
  return (
    (from === null || bytes.compare(Buffer.from(from)) >= 0) && (to === null || bytes.compare(Buffer.from(to)) <= 0)
  );
}

function started({ start, value }: Put): KeyValue<number, Value> {
  return { key: start, value };
}

function windowed({ key, start, value }: Put): KeyValue<Windowed<string>, Value> {
  return { key: { key, window: { startMs: start, endMs: start + SHAPE.windowSizeMs } }, value };
}

type Do = Operation<Store, ReferenceList>;

const keys = fc.constantFrom("", "\0", "\0\0", "a", "a\0", "aa", "b", "\u{1f600}");
const bounds = fc
  .tuple(fc.option(keys, { freq: 3 }), fc.option(keys, { freq: 3 }))
  .map(([a, b]) =>
    a !== null && b !== null && Buffer.from(a).compare(Buffer.from(b)) > 0 ? ([b, a] as const) : ([a, b] as const),
  );
const values = fc.option(fc.constantFrom("", "x", "y".repeat(300)), { freq: 4 });
/** Of a window, from the record's timestamp. */
const offsets = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, -10, -30, -100) },
  fc.integer({ min: -150, max: 40 }),
);
const spans = fc.tuple(offsets, fc.integer({ min: 0, max: 150 }));

const operations: readonly fc.Arbitrary<Do>[] = [
  fc.tuple(keys, values, offsets).map(([key, value, offset]): Do => ({
    name: `put ${JSON.stringify([key, value])} at ${offset}`,
    run(store, reference, timestamp) {
      const start = Math.max(timestamp + offset, 0);
      const put = value === null ? null : { value, timestamp };
      store.put(key, put, start);
      reference.put(key, put, start);
    },
  })),
  fc.tuple(keys, offsets).map(([key, offset]): Do => ({
    name: `fetch ${JSON.stringify(key)} at ${offset}`,
    run(store, reference, timestamp) {
      expect(store.fetch(key, timestamp + offset)).toEqual(reference.last(key, timestamp + offset));
    },
  })),
  fc.tuple(keys, spans).map(([key, [offset, length]]): Do => ({
    name: `fetch ${JSON.stringify(key)} from ${offset}, ${length} ms`,
    async run(store, reference, timestamp) {
      const [from, to] = [timestamp + offset, timestamp + offset + length];
      const found = reference.find((put) => put.key === key && put.start >= from && put.start <= to).map(started);
      expect(await all(store.fetch(key, from, to))).toEqual(found);
      expect(await all(store.backwardFetch(key, from, to))).toEqual(found.toReversed());
    },
  })),
  fc.tuple(bounds, spans).map(([[keyFrom, keyTo], [offset, length]]): Do => ({
    name: `fetch ${JSON.stringify([keyFrom, keyTo])} from ${offset}, ${length} ms`,
    async run(store, reference, timestamp) {
      const [from, to] = [timestamp + offset, timestamp + offset + length];
      const found = reference
        .find(({ key, start }) => isBetween(key, keyFrom, keyTo) && start >= from && start <= to)
        .map(windowed);
      expect(await all(store.fetch(keyFrom, keyTo, from, to))).toEqual(found);
      expect(await all(store.backwardFetch(keyFrom, keyTo, from, to))).toEqual(found.toReversed());
    },
  })),
];

async function compare(store: ReadOnlyTimestampedWindowStore<string, string>, reference: ReferenceList): Promise<void> {
  const puts = reference.find(() => true);
  expect(await all(store.all())).toEqual(puts.map(windowed));
  for (const { key, start } of puts) expect(store.fetch(key, start)).toEqual(reference.last(key, start));
}

describe.each(["persistent", "inMemory"] as const)("a window store in storage '%s'", { timeout: 60_000 }, (storage) => {
  it.each([
    { retainDuplicates: false, caching: false, compaction: "never" },
    { retainDuplicates: false, caching: true, compaction: "sometimes" },
    { retainDuplicates: true, caching: false, compaction: "sometimes" },
  ] as const)("is what a list of all puts would be, whatever happens to its task (%o)", async (variant) => {
    const { retainDuplicates, caching, compaction } = variant;
    await checkModel({
      createBuilder: () =>
        timestampedWindowStore({
          ...SHAPE,
          name: "windows",
          key: stringSerde,
          value: stringSerde,
          storage,
          retainDuplicates,
          caching,
        }),
      createReference: () => new ReferenceList(retainDuplicates),
      operations,
      compare,
      timestampSteps: fc.integer({ min: -20, max: 40 }),
      compaction,
      runs: storage === "persistent" ? 8 : 60,
    });
  });
});

import { stringSerde } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyValue } from "../key-value/key-value-store.ts";
import type { ValueAndTimestamp } from "../key-value/value-form.ts";
import { all } from "../testing/contract.ts";
import { checkModel, type Operation, type Reference } from "../../test/store-model.ts";
import type { Windowed } from "../window/windowed.ts";
import {
  type ReadOnlyTimestampedSessionStore,
  type TimestampedSessionStore,
  timestampedSessionStore,
} from "./session-store.ts";

const SHAPE = { retentionMs: 100, segmentIntervalMs: 30 };

type Store = TimestampedSessionStore<string, string>;
type Value = ValueAndTimestamp<string>;

interface Put {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly value: Value;
}

/** All puts in a list, and the rules of time. */
class ReferenceList implements Reference<ReferenceList> {
  #puts: readonly Put[] = [];
  #streamTime = -1;

  clone(): ReferenceList {
    const copy = new ReferenceList();
    copy.#puts = this.#puts;
    copy.#streamTime = this.#streamTime;
    return copy;
  }

  put(key: string, start: number, end: number, value: Value | null): void {
    if (!this.#isLive(end)) return;
    this.#streamTime = Math.max(this.#streamTime, end);
    const others = this.#puts.filter((put) => put.key !== key || put.start !== start || put.end !== end);
    this.#puts = value === null ? others : [...others, { key, start, end, value }];
  }

  find(isWanted: (put: Put) => boolean): Put[] {
    return this.#puts.filter((put) => this.#isLive(put.end) && isWanted(put)).toSorted(inOrder);
  }

  #isLive(end: number): boolean {
    return end > this.#streamTime - SHAPE.retentionMs;
  }
}

function inOrder(a: Put, b: Put): number {
  const segment = (put: Put): number => Math.floor(put.end / SHAPE.segmentIntervalMs);
  return segment(a) - segment(b) || bytesOf(a).compare(bytesOf(b));
}

function bytesOf({ key, start, end }: Put): Buffer {
  const times = Buffer.alloc(16);
  times.writeBigInt64BE(BigInt(end));
  times.writeBigInt64BE(BigInt(start), 8);
  return Buffer.concat([Buffer.from(key), times]);
}

function isBetween(key: string, from: string | null, to: string | null): boolean {
  const bytes = Buffer.from(key);
  return (
    (from === null || bytes.compare(Buffer.from(from)) >= 0) && (to === null || bytes.compare(Buffer.from(to)) <= 0)
  );
}

function session(key: string, startMs: number, endMs: number): Windowed<string> {
  return { key, window: { startMs, endMs } };
}

function found({ key, start, end, value }: Put): KeyValue<Windowed<string>, Value> {
  return { key: session(key, start, end), value };
}

type Do = Operation<Store, ReferenceList>;

const keys = fc.constantFrom("", "\0", "\0\0", "a", "a\0", "aa", "b", "\u{1f600}");
const bounds = fc
  .tuple(fc.option(keys, { freq: 3 }), fc.option(keys, { freq: 3 }))
  .map(([a, b]) =>
    a !== null && b !== null && Buffer.from(a).compare(Buffer.from(b)) > 0 ? ([b, a] as const) : ([a, b] as const),
  );
const values = fc.option(fc.constantFrom("", "x", "y".repeat(300)), { freq: 3 });
/** From the record's timestamp. */
const offsets = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, -10, -30, -100) },
  fc.integer({ min: -150, max: 40 }),
);
const lengths = fc.oneof(fc.constantFrom(0, 10), fc.integer({ min: 0, max: 300 }));

const operations: readonly fc.Arbitrary<Do>[] = [
  fc.tuple(keys, values, offsets, lengths).map(([key, value, offset, length]): Do => ({
    name: `put ${JSON.stringify([key, value])} up to ${offset}, ${length} ms`,
    run(store, reference, timestamp) {
      const end = Math.max(timestamp + offset, 0);
      const start = Math.max(end - length, 0);
      const put = value === null ? null : { value, timestamp };
      store.put(session(key, start, end), put);
      reference.put(key, start, end, put);
    },
  })),
  fc.tuple(keys, offsets, fc.constantFrom(0, 10, 30)).map(([key, offset, gap]): Do => ({
    name: `merge ${JSON.stringify(key)} at ${offset} with what is ${gap} ms from it`,
    async run(store, reference, timestamp) {
      const time = Math.max(timestamp + offset, 0);
      const merged = reference.find((put) => put.key === key && put.end >= time - gap && put.start <= time + gap);
      const sessions = await all(store.findSessions(key, time - gap, time + gap));
      expect(sessions).toEqual(merged.map(found));
      for (const { key: each } of sessions) store.remove(each);
      for (const { start, end } of merged) reference.put(key, start, end, null);
      const start = Math.min(time, ...merged.map((put) => put.start));
      const end = Math.max(time, ...merged.map((put) => put.end));
      const put = { value: String(merged.length), timestamp };
      store.put(session(key, start, end), put);
      reference.put(key, start, end, put);
    },
  })),
  fc.tuple(bounds, offsets, offsets).map(([[keyFrom, keyTo], earliest, latest]): Do => ({
    name: `findSessions ${JSON.stringify([keyFrom, keyTo])} from ${earliest} to ${latest}`,
    async run(store, reference, timestamp) {
      const [earliestEnd, latestStart] = [timestamp + earliest, timestamp + latest];
      const expected = reference
        .find(({ key, start, end }) => isBetween(key, keyFrom, keyTo) && end >= earliestEnd && start <= latestStart)
        .map(found);
      expect(await all(store.findSessions(keyFrom, keyTo, earliestEnd, latestStart))).toEqual(expected);
      const backward = store.backwardFindSessions(keyFrom, keyTo, earliestEnd, latestStart);
      expect(await all(backward)).toEqual(expected.toReversed());
    },
  })),
  keys.map((key): Do => ({
    name: `fetch ${JSON.stringify(key)}`,
    async run(store, reference) {
      const expected = reference.find((put) => put.key === key).map(found);
      expect(await all(store.fetch(key))).toEqual(expected);
      expect(await all(store.backwardFetch(key))).toEqual(expected.toReversed());
    },
  })),
];

async function compare(
  store: ReadOnlyTimestampedSessionStore<string, string>,
  reference: ReferenceList,
): Promise<void> {
  const puts = reference.find(() => true);
  expect(await all(store.fetch(null, null))).toEqual(puts.map(found));
  for (const { key, start, end, value } of puts) expect(store.fetchSession(key, start, end)).toEqual(value);
}

describe.each(["persistent", "inMemory"] as const)(
  "a session store in storage '%s'",
  { timeout: 60_000 },
  (storage) => {
    it.each([
      { caching: false, compaction: "never" },
      { caching: true, compaction: "sometimes" },
    ] as const)("is what a list of all puts would be, whatever happens to its task (%o)", async (variant) => {
      const { caching, compaction } = variant;
      await checkModel({
        createBuilder: () =>
          timestampedSessionStore({
            ...SHAPE,
            name: "sessions",
            key: stringSerde,
            value: stringSerde,
            storage,
            caching,
          }),
        createReference: () => new ReferenceList(),
        operations,
        compare,
        timestampSteps: fc.integer({ min: -20, max: 40 }),
        compaction,
        runs: storage === "persistent" ? 8 : 60,
      });
    });
  },
);

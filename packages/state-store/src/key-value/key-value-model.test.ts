import { stringSerde } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { all } from "../testing/contract.ts";
import { checkModel, type Operation, type Reference } from "../../test/store-model.ts";
import type { KeyValue, ReadOnlyKeyValueStore } from "./key-value-store.ts";
import { type TimestampedKeyValueStore, timestampedKeyValueStore } from "./timestamped-key-value-store.ts";
import type { ValueAndTimestamp } from "./value-form.ts";

type Store = TimestampedKeyValueStore<string, string>;
type Value = ValueAndTimestamp<string>;

/** A Map, and the rule of time. */
class ReferenceMap implements Reference<ReferenceMap> {
  #entries = new Map<string, Value & { readonly expiresAt: number }>();
  #streamTime = -1;

  clone(): ReferenceMap {
    const copy = new ReferenceMap();
    copy.#entries = new Map(this.#entries);
    copy.#streamTime = this.#streamTime;
    return copy;
  }

  get(key: string): Value | null {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt <= this.#streamTime) return null;
    return { value: entry.value, timestamp: entry.timestamp };
  }

  put(key: string, value: string | null, timestamp: number, ttlMs = Infinity): void {
    this.#streamTime = Math.max(this.#streamTime, timestamp);
    if (value === null) this.#entries.delete(key);
    else this.#entries.set(key, { value, timestamp, expiresAt: timestamp + ttlMs });
  }

  entries(isWanted: (key: string) => boolean): KeyValue<string, Value>[] {
    return [...this.#entries.keys()]
      .filter((key) => isWanted(key) && this.get(key) !== null)
      .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map((key) => ({ key, value: this.get(key)! }));
  }
}

type Do = Operation<Store, ReferenceMap>;

const keys = fc.constantFrom("", "a", "a\0", "aa", "ab", "b", "\u{ffff}", "\u{1f600}");
const values = fc.constantFrom("", "x", "y".repeat(300));
const ttls = fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined, freq: 2 });

const operations: readonly fc.Arbitrary<Do>[] = [
  fc.tuple(keys, values, ttls).map(([key, value, ttlMs]): Do => ({
    name: `put ${JSON.stringify(key)} for ${ttlMs} ms`,
    run(store, reference, timestamp) {
      store.put(key, { value, timestamp }, ttlMs === undefined ? undefined : { ttlMs });
      reference.put(key, value, timestamp, ttlMs);
    },
  })),
  fc.tuple(keys, values).map(([key, value]): Do => ({
    name: `putIfAbsent ${JSON.stringify(key)}`,
    run(store, reference, timestamp) {
      const before = reference.get(key);
      expect(store.putIfAbsent(key, { value, timestamp })).toEqual(before);
      if (before === null) reference.put(key, value, timestamp);
    },
  })),
  keys.map((key): Do => ({
    name: `delete ${JSON.stringify(key)}`,
    run(store, reference, timestamp) {
      expect(store.delete(key)).toEqual(reference.get(key));
      reference.put(key, null, timestamp);
    },
  })),
  fc.tuple(keys, keys).map(([a, b]): Do => ({
    name: `range ${JSON.stringify([a, b])}`,
    async run(store, reference) {
      const [from, to] = [a, b].toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))) as [string, string];
      const expected = reference.entries(
        (key) => Buffer.from(key).compare(Buffer.from(from)) >= 0 && Buffer.from(key).compare(Buffer.from(to)) <= 0,
      );
      expect(await all(store.range(from, to))).toEqual(expected);
      expect(await all(store.reverseRange(from, to))).toEqual(expected.toReversed());
    },
  })),
  keys.map((prefix): Do => ({
    name: `prefixScan ${JSON.stringify(prefix)}`,
    async run(store, reference) {
      expect(await all(store.prefixScan(prefix))).toEqual(reference.entries((key) => key.startsWith(prefix)));
    },
  })),
];

async function compare(store: ReadOnlyKeyValueStore<string, Value>, reference: ReferenceMap): Promise<void> {
  const expected = reference.entries(() => true);
  expect(await all(store.all())).toEqual(expected);
  for (const { key, value } of expected) expect(store.get(key)).toEqual(value);
}

describe.each(["persistent", "inMemory"] as const)(
  "a key-value store in storage '%s'",
  { timeout: 60_000 },
  (storage) => {
    const createBuilder = (caching: boolean) => () =>
      timestampedKeyValueStore({ name: "store", key: stringSerde, value: stringSerde, storage, caching });
    const common = {
      createReference: () => new ReferenceMap(),
      operations,
      compare,
      runs: storage === "persistent" ? 12 : 80,
    };

    it("is what a Map would be, whatever happens to its task", async () => {
      await checkModel({
        ...common,
        createBuilder: createBuilder(false),
        timestampSteps: fc.integer({ min: -20, max: 30 }),
        compaction: "never",
      });
    });

    it.each([false, true])("is so with a changelog that is compacted (caching: %s)", async (caching) => {
      await checkModel({
        ...common,
        createBuilder: createBuilder(caching),
        // What is compacted away, or not logged, may have had a higher timestamp: then stream time comes back lower.
        timestampSteps: fc.integer({ min: 0, max: 30 }),
        compaction: "sometimes",
      });
    });
  },
);

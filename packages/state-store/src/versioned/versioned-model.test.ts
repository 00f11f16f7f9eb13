import { stringSerde } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkModel, type Operation, type Reference } from "../../test/store-model.ts";
import {
  type ReadOnlyVersionedKeyValueStore,
  type VersionedKeyValueStore,
  versionedKeyValueStore,
  type VersionedRecord,
} from "./versioned-key-value-store.ts";

const HISTORY_MS = 50;
const KEYS = ["", "a", "aa"];

/** All versions there ever were, and the rules of time. */
class ReferenceVersions implements Reference<ReferenceVersions> {
  #versions = new Map<string, Map<number, string | null>>();
  #streamTime = -1;

  clone(): ReferenceVersions {
    const copy = new ReferenceVersions();
    copy.#versions = new Map([...this.#versions].map(([key, versions]) => [key, new Map(versions)]));
    copy.#streamTime = this.#streamTime;
    return copy;
  }

  put(key: string, value: string | null, timestamp: number): number | "latest" | "notPut" {
    if (timestamp < this.#streamTime - HISTORY_MS) return "notPut";
    this.#streamTime = Math.max(this.#streamTime, timestamp);
    const versions = this.#versions.get(key) ?? new Map<number, string | null>();
    this.#versions.set(key, versions.set(timestamp, value));
    return this.#next(key, timestamp) ?? "latest";
  }

  get(key: string, asOf = Infinity): VersionedRecord<string> | null {
    const timestamp = Math.max(...this.#timestamps(key).filter((each) => each <= asOf));
    const value = this.#versions.get(key)?.get(timestamp) ?? null;
    const validTo = this.#next(key, timestamp);
    if (value === null || (asOf < this.#streamTime - HISTORY_MS && validTo !== undefined)) return null;
    return validTo === undefined ? { value, timestamp } : { value, timestamp, validTo };
  }

  get times(): number[] {
    return [...new Set(KEYS.flatMap((key) => this.#timestamps(key)))].flatMap((time) => [Math.max(time - 1, 0), time]);
  }

  #timestamps(key: string): number[] {
    return [...(this.#versions.get(key)?.keys() ?? [])];
  }

  #next(key: string, timestamp: number): number | undefined {
    const later = this.#timestamps(key).filter((each) => each > timestamp);
    return later.length === 0 ? undefined : Math.min(...later);
  }
}

type Do = Operation<VersionedKeyValueStore<string, string>, ReferenceVersions>;

const keys = fc.constantFrom(...KEYS);

const operations: readonly fc.Arbitrary<Do>[] = [
  fc
    .tuple(keys, fc.constantFrom("", "x", "y".repeat(200), null), fc.integer({ min: -60, max: 5 }))
    .map(([key, value, late]): Do => ({
      name: `put ${JSON.stringify([key, value?.slice(0, 3) ?? null])} at ${late}`,
      run(store, reference, timestamp) {
        const time = Math.max(timestamp + late, 0);
        expect(store.put(key, value, time)).toBe(reference.put(key, value, time));
      },
    })),
  fc.tuple(keys, fc.integer({ min: -60, max: 0 })).map(([key, late]): Do => ({
    name: `delete ${JSON.stringify(key)} at ${late}`,
    run(store, reference, timestamp) {
      const time = Math.max(timestamp + late, 0);
      const existing = reference.get(key, time);
      const deleted = reference.put(key, null, time) === "notPut" ? null : existing;
      expect(store.delete(key, time)).toEqual(deleted);
    },
  })),
];

async function compare(
  store: ReadOnlyVersionedKeyValueStore<string, string>,
  reference: ReferenceVersions,
): Promise<void> {
  for (const key of KEYS) {
    expect(store.get(key)).toEqual(reference.get(key));
    for (const time of reference.times) expect(store.get(key, time)).toEqual(reference.get(key, time));
  }
}

describe.each(["persistent", "inMemory"] as const)(
  "a versioned store in storage '%s'",
  { timeout: 60_000 },
  (storage) => {
    it("has the versions that there were, whatever happens to its task", async () => {
      await checkModel({
        createBuilder: () =>
          versionedKeyValueStore({
            name: "store",
            key: stringSerde,
            value: stringSerde,
            historyRetentionMs: HISTORY_MS,
            storage,
          }),
        createReference: () => new ReferenceVersions(),
        operations,
        compare,
        timestampSteps: fc.integer({ min: 0, max: 40 }),
        // The topic's min.compaction.lag.ms keeps the cleaner off the versions that can be asked for.
        compaction: "never",
        runs: storage === "persistent" ? 12 : 60,
      });
    });
  },
);

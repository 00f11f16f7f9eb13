import assert from "node:assert/strict";
import { bytesSerde, type Serde, stringSerde } from "@eos/core";
import type { ReadOnlyVersionedKeyValueStore, VersionedKeyValueStore } from "../versioned/versioned-key-value-store.ts";
import { type ContractRunner, type StoreUnderTest, withStore } from "./contract.ts";

type Opened<K, V> = Promise<StoreUnderTest<VersionedKeyValueStore<K, V>, ReadOnlyVersionedKeyValueStore<K, V>>>;

/** The options of the store that a test wants. */
export interface VersionedStoreUnderTest<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly historyRetentionMs: number;
}

export interface VersionedKeyValueContract extends ContractRunner {
  open<K, V>(options: VersionedStoreUnderTest<K, V>): Opened<K, V>;
}

const HISTORY_MS = 100;

/** What every versioned store keeps to, as tests: `testVersionedKeyValueStore({ describe, it, open })`. */
export function testVersionedKeyValueStore({ describe, it, open }: VersionedKeyValueContract): void {
  const strings = (): Opened<string, string> =>
    open({ key: stringSerde, value: stringSerde, historyRetentionMs: HISTORY_MS });

  describe("a versioned store's versions", () => {
    it("are none under a key that nothing was put under", () =>
      withStore(strings(), async ({ store }) => {
        assert.equal(store.get("a"), null);
        assert.equal(store.get("a", 0), null);
        assert.equal(store.delete("b", 0), null);
      }));

    it("are found by the time they were valid at, before their commit and after it", () =>
      withStore(strings(), async ({ store, commit }) => {
        assert.equal(store.put("a", "10", 10), "latest");
        assert.equal(store.put("a", "30", 30), "latest");
        const check = (): void => {
          assert.deepEqual(store.get("a"), { value: "30", timestamp: 30 });
          assert.deepEqual(store.get("a", 30), { value: "30", timestamp: 30 });
          assert.deepEqual(store.get("a", 29), { value: "10", timestamp: 10, validTo: 30 });
          assert.deepEqual(store.get("a", 10), { value: "10", timestamp: 10, validTo: 30 });
          assert.equal(store.get("a", 9), null);
          assert.equal(store.get("b"), null);
        };
        check();
        await commit();
        check();
      }));

    it("go where they belong when they come late, and in place of one with the same timestamp", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put("a", "30", 30);
        await commit();
        assert.equal(store.put("a", "10", 10), 30);
        assert.equal(store.put("a", "20", 20), 30);
        assert.equal(store.put("a", "again", 10), 20);
        assert.deepEqual(store.get("a"), { value: "30", timestamp: 30 });
        assert.deepEqual(store.get("a", 15), { value: "again", timestamp: 10, validTo: 20 });
        assert.equal(store.put("a", "30 again", 30), "latest");
        assert.deepEqual(store.get("a"), { value: "30 again", timestamp: 30 });
      }));

    it("end where the key is deleted, which may come late too", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put("a", "10", 10);
        store.put("a", "30", 30);
        await commit();
        assert.deepEqual(store.delete("a", 20), { value: "10", timestamp: 10, validTo: 30 });
        assert.deepEqual(store.get("a", 19), { value: "10", timestamp: 10, validTo: 20 });
        assert.equal(store.get("a", 20), null);
        assert.deepEqual(store.get("a"), { value: "30", timestamp: 30 });
        assert.equal(store.put("a", null, 40), "latest");
        assert.equal(store.get("a"), null);
        assert.deepEqual(store.get("a", 39), { value: "30", timestamp: 30, validTo: 40 });
      }));

    it("are not put when they are older than the history that is kept", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put("old", "1", 1);
        store.put("a", "now", 1_000);
        await commit();
        assert.equal(store.put("a", "late", 1_000 - HISTORY_MS), 1_000);
        assert.equal(store.put("a", "too late", 999 - HISTORY_MS), "notPut");
        assert.equal(store.put("b", "too late", 999 - HISTORY_MS), "notPut");
        assert.equal(store.delete("a", 999 - HISTORY_MS), null);
        assert.equal(store.delete("old", 999 - HISTORY_MS), null);
        assert.deepEqual(store.get("old"), { value: "1", timestamp: 1 });
        assert.equal(store.get("b"), null);
        assert.deepEqual(store.get("a", 999), { value: "late", timestamp: 1_000 - HISTORY_MS, validTo: 1_000 });
      }));

    it("are not found beyond the history, except for the latest of a key, which stays", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put("a", "1", 1);
        store.put("b", "1", 1);
        store.put("b", "2", 2);
        await commit();
        store.put("c", "now", 1_000);
        await commit();
        assert.deepEqual(store.get("a"), { value: "1", timestamp: 1 });
        assert.deepEqual(store.get("a", 1), { value: "1", timestamp: 1 });
        assert.equal(store.get("b", 1), null);
        assert.deepEqual(store.get("b", 2), { value: "2", timestamp: 2 });
      }));

    it("have keys and values of any bytes, also none", () =>
      withStore(
        open({ key: bytesSerde, value: bytesSerde, historyRetentionMs: HISTORY_MS }),
        async ({ store, commit }) => {
          const none = Buffer.alloc(0);
          store.put(none, none, 1);
          store.put(none, Buffer.from([0xff, 0]), 2);
          await commit();
          assert.deepEqual(store.get(none, 1), { value: none, timestamp: 1, validTo: 2 });
          store.get(none)?.value.fill(7);
          assert.deepEqual(store.get(none), { value: Buffer.from([0xff, 0]), timestamp: 2 });
        },
      ));
  });

  describe("a versioned store's transactions", () => {
    it("drop all that was written when they abort, and what it did to time", () =>
      withStore(strings(), async ({ store, commit, abort }) => {
        store.put("a", "10", 10);
        await commit();
        store.put("a", "20", 20);
        store.put("b", "later", 10_000);
        await abort();
        assert.deepEqual(store.get("a"), { value: "10", timestamp: 10 });
        assert.equal(store.get("b"), null);
        assert.equal(store.put("a", "11", 11), "latest");
      }));

    it("are seen by others when they have committed, and not before", () =>
      withStore(strings(), async ({ store, readOnly, commit }) => {
        store.put("a", "10", 10);
        await commit();
        store.put("a", "20", 20);
        assert.deepEqual(readOnly.get("a"), { value: "10", timestamp: 10 });
        await commit();
        assert.deepEqual(readOnly.get("a"), { value: "20", timestamp: 20 });
        assert.deepEqual(readOnly.get("a", 19), { value: "10", timestamp: 10, validTo: 20 });
      }));
  });

  describe("a versioned store's arguments", () => {
    it("are refused when they are missing or no times, and nothing is written", () =>
      withStore(strings(), async ({ store }) => {
        for (const key of [null, undefined] as unknown as string[]) {
          assert.throws(() => store.get(key), TypeError);
          assert.throws(() => store.put(key, "1", 1), TypeError);
          assert.throws(() => store.delete(key, 1), TypeError);
        }
        assert.throws(() => store.put("a", undefined as unknown as string, 1), TypeError);
        for (const time of [-1, 0.5, Number.NaN, undefined] as number[]) {
          assert.throws(() => store.put("a", "1", time), TypeError);
          assert.throws(() => store.delete("a", time), TypeError);
        }
        assert.throws(() => store.get("a", Number.NaN), TypeError);
        assert.throws(() => store.put("a", 1 as unknown as string, 1), { code: "EOS_SERDE" });
        assert.equal(store.get("a"), null);
      }));
  });
}

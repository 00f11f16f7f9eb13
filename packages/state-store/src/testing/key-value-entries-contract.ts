import assert from "node:assert/strict";
import { bytesSerde, jsonSerde, type Serde, stringSerde } from "@eos/core";
import type { KeyValueStore } from "../key-value/key-value-store.ts";
import { all, withStore } from "./contract.ts";
import { type KeyValueContract, openStrings } from "./key-value-harness.ts";

/** Keys and values, and calls that are wrong. */
export function testKeyValueEntries({ describe, it, open }: KeyValueContract): void {
  describe("a key-value store's keys and values", () => {
    it("gives null for a key that nothing was put under", () =>
      withStore(openStrings({ open }), async ({ store }) => {
        assert.equal(store.get("a"), null);
        assert.equal(store.delete("a"), null);
        assert.deepEqual(await all(store.all()), []);
      }));

    it("gives what was put last, before its commit and after it", () =>
      withStore(openStrings({ open }), async ({ store, commit }) => {
        store.put("a", "1");
        assert.equal(store.get("a"), "1");
        store.put("a", "2");
        assert.equal(store.get("a"), "2");
        await commit();
        assert.equal(store.get("a"), "2");
        store.put("a", "3");
        assert.equal(store.get("a"), "3");
        await commit();
        assert.equal(store.get("a"), "3");
      }));

    it("forgets a key that null was put under, before the commit and after it", () =>
      withStore(openStrings({ open }), async ({ store, commit }) => {
        store.put("a", "1");
        store.put("b", "1");
        await commit();
        store.put("a", null);
        store.put("c", "1");
        store.put("c", null);
        assert.equal(store.get("a"), null);
        assert.deepEqual(await all(store.all()), [{ key: "b", value: "1" }]);
        await commit();
        assert.equal(store.get("a"), null);
        assert.deepEqual(await all(store.all()), [{ key: "b", value: "1" }]);
      }));

    it("gives back what it deletes", () =>
      withStore(openStrings({ open }), async ({ store, commit }) => {
        store.put("a", "1");
        await commit();
        assert.equal(store.delete("a"), "1");
        assert.equal(store.delete("a"), null);
        assert.equal(store.get("a"), null);
      }));

    it("puts if absent when there is nothing, and gives back what there is", () =>
      withStore(openStrings({ open }), async ({ store, commit }) => {
        assert.equal(store.putIfAbsent("a", "1"), null);
        assert.equal(store.putIfAbsent("a", "2"), "1");
        await commit();
        assert.equal(store.putIfAbsent("a", "3"), "1");
        store.delete("a");
        assert.equal(store.putIfAbsent("a", "4"), null);
        assert.equal(store.get("a"), "4");
      }));

    it("puts all entries in their order", () =>
      withStore(openStrings({ open }), async ({ store }) => {
        store.put("b", "0");
        store.putAll([
          { key: "a", value: "1" },
          { key: "b", value: null },
          { key: "a", value: "2" },
        ]);
        assert.deepEqual(await all(store.all()), [{ key: "a", value: "2" }]);
      }));

    it("tells an empty value from none", () =>
      withStore(open({ key: bytesSerde, value: bytesSerde }), async ({ store, commit }) => {
        store.put(Buffer.alloc(0), Buffer.alloc(0));
        assert.deepEqual(store.get(Buffer.alloc(0)), Buffer.alloc(0));
        await commit();
        assert.deepEqual(store.get(Buffer.alloc(0)), Buffer.alloc(0));
        assert.deepEqual(await all(store.all()), [{ key: Buffer.alloc(0), value: Buffer.alloc(0) }]);
      }));

    it("takes any bytes as a key, and many kinds of value", () =>
      withStore(open({ key: bytesSerde, value: jsonSerde<unknown>() }), async ({ store, commit }) => {
        const keys = [[0], [0, 0], [0, 0xff], [1], [0xff], [0xff, 0], [0xff, 0xff]].map((bytes) => Buffer.from(bytes));
        const values = [0, "", "texte d'été 🙂", { a: [1, null] }, [], "x".repeat(300_000), false];
        for (const [i, key] of keys.entries()) store.put(key, values[i]);
        for (const [i, key] of keys.entries()) assert.deepEqual(store.get(key), values[i]);
        await commit();
        for (const [i, key] of keys.entries()) assert.deepEqual(store.get(key), values[i]);
        assert.deepEqual(
          (await all(store.all())).map(({ key }) => key),
          keys,
        );
      }));

    it("keeps its bytes to itself", () =>
      withStore(open({ key: bytesSerde, value: bytesSerde }), async ({ store, commit }) => {
        const key = Buffer.from("k");
        const value = Buffer.from("value");
        store.put(key, value);
        value.fill(0);
        store.get(key)?.fill(0);
        for (const each of await all(store.all())) for (const bytes of [each.key, each.value]) bytes.fill(0);
        assert.equal(String(store.get(key)), "value");
        await commit();
        store.get(key)?.fill(0);
        for (const each of await all(store.all())) for (const bytes of [each.key, each.value]) bytes.fill(0);
        assert.equal(String(store.get(key)), "value");
      }));

    it("lets a serde use the store in the middle of a put", async () => {
      const opened: { store?: KeyValueStore<string, string> } = {};
      const nosy: Serde<string> = {
        ...stringSerde,
        serialize(topic, value) {
          opened.store?.get("another, and longer, key");
          return stringSerde.serialize(topic, value);
        },
      };
      await withStore(open({ key: stringSerde, value: nosy }), async ({ store }) => {
        opened.store = store;
        store.put("a", "1");
        assert.deepEqual(await all(store.all()), [{ key: "a", value: "1" }]);
      });
    });
  });

  describe("a key-value store's arguments", () => {
    it("are refused when a key is missing, and nothing is written", () =>
      withStore(openStrings({ open }), async ({ store, readOnly }) => {
        for (const key of [null, undefined] as unknown as string[]) {
          assert.throws(() => store.get(key), TypeError);
          assert.throws(() => store.put(key, "1"), TypeError);
          assert.throws(() => store.putIfAbsent(key, "1"), TypeError);
          assert.throws(() => store.delete(key), TypeError);
          assert.throws(() => store.prefixScan(key), TypeError);
          assert.throws(() => readOnly.get(key), TypeError);
        }
        assert.throws(() => store.range(undefined as unknown as string, "b"), TypeError);
        assert.deepEqual(await all(store.all()), []);
      }));

    it("are refused when a value is undefined or no value for the serde, and nothing is written", () =>
      withStore(openStrings({ open }), async ({ store }) => {
        store.put("a", "1");
        assert.throws(() => store.put("a", undefined as unknown as string), TypeError);
        assert.throws(() => store.put("a", 2 as unknown as string), { code: "EOS_SERDE" });
        assert.equal(store.get("a"), "1");
      }));

    it("are refused when an option of put is unknown or wrong", () =>
      withStore(openStrings({ open }), async ({ store, at }) => {
        assert.throws(() => store.put("a", "1", { ttl: 5 } as object), /did you mean "ttlMs"/);
        for (const ttlMs of [0, -1, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1]) {
          assert.throws(() => store.put("a", "1", { ttlMs }), TypeError);
        }
        at(1);
        assert.throws(() => store.put("a", "1", { ttlMs: Number.MAX_SAFE_INTEGER }), TypeError);
        assert.equal(store.get("a"), null);
      }));

    it("are refused when a range is the wrong way round", () =>
      withStore(openStrings({ open }), async ({ store, readOnly }) => {
        assert.throws(() => store.range("b", "a"), TypeError);
        assert.throws(() => store.reverseRange("b", "a"), TypeError);
        assert.throws(() => readOnly.range("b", "a"), TypeError);
      }));
  });
}

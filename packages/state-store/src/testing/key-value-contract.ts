import assert from "node:assert/strict";
import { bytesSerde, int32Serde, jsonSerde, type Serde, stringSerde } from "@eos/core";
import type { KeyValueStore, ReadOnlyKeyValueStore } from "../key-value/key-value-store.ts";
import { all, type ContractRunner, type StoreUnderTest, withStore } from "./contract.ts";

type Opened<K, V> = Promise<StoreUnderTest<KeyValueStore<K, V>, ReadOnlyKeyValueStore<K, V>>>;

export interface KeyValueContract extends ContractRunner {
  open<K, V>(serdes: { readonly key: Serde<K>; readonly value: Serde<V> }): Opened<K, V>;
}

/** In the order of their bytes. A key that is another's beginning comes before it. */
const KEYS = ["", "a", "a\0", "aa", "ab", "b", "b\u{7f}", "é", "\u{ffff}", "\u{1f600}"];

/**
 * What every key-value store keeps to, as tests: `testKeyValueStore({ describe, it, open })`. They use `node:assert`, so
 * any runner will do.
 */
export function testKeyValueStore({ describe, it, open }: KeyValueContract): void {
  const strings = (): Opened<string, string> => open({ key: stringSerde, value: stringSerde });

  /** The keys lie in the committed state, in the transaction above it, or in both. */
  async function fill(harness: Awaited<Opened<string, string>>): Promise<void> {
    for (const [i, key] of KEYS.entries()) if (i % 3 !== 0) harness.store.put(key, `old ${i}`);
    harness.store.put("to be deleted", "x");
    await harness.commit();
    for (const [i, key] of KEYS.entries()) if (i % 3 !== 1) harness.store.put(key, `new ${i}`);
    harness.store.delete("to be deleted");
  }

  describe("a key-value store's keys and values", () => {
    it("gives null for a key that nothing was put under", () =>
      withStore(strings(), async ({ store }) => {
        assert.equal(store.get("a"), null);
        assert.equal(store.delete("a"), null);
        assert.deepEqual(await all(store.all()), []);
      }));

    it("gives what was put last, before its commit and after it", () =>
      withStore(strings(), async ({ store, commit }) => {
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
      withStore(strings(), async ({ store, commit }) => {
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
      withStore(strings(), async ({ store, commit }) => {
        store.put("a", "1");
        await commit();
        assert.equal(store.delete("a"), "1");
        assert.equal(store.delete("a"), null);
        assert.equal(store.get("a"), null);
      }));

    it("puts if absent when there is nothing, and gives back what there is", () =>
      withStore(strings(), async ({ store, commit }) => {
        assert.equal(store.putIfAbsent("a", "1"), null);
        assert.equal(store.putIfAbsent("a", "2"), "1");
        await commit();
        assert.equal(store.putIfAbsent("a", "3"), "1");
        store.delete("a");
        assert.equal(store.putIfAbsent("a", "4"), null);
        assert.equal(store.get("a"), "4");
      }));

    it("puts all entries in their order", () =>
      withStore(strings(), async ({ store }) => {
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
        for (const each of await all(store.all())) each.value.fill(0) && each.key.fill(0);
        assert.equal(String(store.get(key)), "value");
        await commit();
        store.get(key)?.fill(0);
        for (const each of await all(store.all())) each.value.fill(0) && each.key.fill(0);
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

  describe("a key-value store's ranges", () => {
    it("give all entries in the order of their keys' bytes, wherever they lie, and the other way round", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        const expected = KEYS.map((key, i) => ({ key, value: `${i % 3 === 1 ? "old" : "new"} ${i}` }));
        assert.deepEqual(await all(harness.store.all()), expected);
        assert.deepEqual(await all(harness.store.reverseAll()), expected.toReversed());
        await harness.commit();
        assert.deepEqual(await all(harness.store.all()), expected);
        assert.deepEqual(await all(harness.store.reverseAll()), expected.toReversed());
      }));

    it("have both bounds in them, and end with the store where a bound is null", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        for (let from = -1; from < KEYS.length; from++) {
          for (let to = from; to < KEYS.length; to++) {
            const keys = KEYS.slice(Math.max(from, 0), to < 0 ? undefined : to + 1);
            const bounds = [KEYS[from] ?? null, KEYS[to] ?? null] as const;
            assert.deepEqual(
              (await all(harness.store.range(...bounds))).map(({ key }) => key),
              keys,
            );
            const reverse = await all(harness.store.reverseRange(...bounds));
            assert.deepEqual(
              reverse.map(({ key }) => key),
              keys.toReversed(),
            );
          }
        }
      }));

    it("may have bounds that are no keys", () =>
      withStore(strings(), async ({ store }) => {
        store.putAll([
          { key: "b", value: "1" },
          { key: "d", value: "2" },
        ]);
        assert.deepEqual(
          (await all(store.range("a", "c"))).map(({ key }) => key),
          ["b"],
        );
        assert.deepEqual(await all(store.range("c", "c")), []);
      }));

    it("find what begins with a prefix, and nothing else", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        for (const prefix of [...KEYS, "c"]) {
          const found = await all(harness.store.prefixScan(prefix));
          assert.deepEqual(
            found.map(({ key }) => key),
            KEYS.filter((key) => key.startsWith(prefix)),
          );
        }
      }));

    it("find what begins with a prefix of another kind", () =>
      withStore(open({ key: bytesSerde, value: stringSerde }), async ({ store, commit }) => {
        const keys = [[0, 0xff], [0xff], [0xff, 0xfe], [0xff, 0xff], [0xff, 0xff, 0]].map((bytes) =>
          Buffer.from(bytes),
        );
        store.putAll(keys.map((key) => ({ key, value: "x" })));
        await commit();
        const begin = { serialize: (_topic: string, count: number) => Buffer.alloc(count, 0xff) };
        assert.deepEqual(
          (await all(store.prefixScan(1, begin))).map(({ key }) => key),
          keys.slice(1),
        );
        assert.deepEqual(
          (await all(store.prefixScan(2, begin))).map(({ key }) => key),
          keys.slice(3),
        );
        assert.deepEqual(
          (await all(store.prefixScan(0, begin))).map(({ key }) => key),
          keys,
        );
      }));

    it("are of the moment they were opened at", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put("a", "1");
        await commit();
        store.put("b", "1");
        const before = store.all();
        store.putAll([
          { key: "a", value: "2" },
          { key: "b", value: null },
          { key: "c", value: "2" },
        ]);
        const after = store.all();
        assert.deepEqual(await all(before), [
          { key: "a", value: "1" },
          { key: "b", value: "1" },
        ]);
        assert.deepEqual(await all(after), [
          { key: "a", value: "2" },
          { key: "c", value: "2" },
        ]);
      }));

    it("can be left in the middle, and be closed twice", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        for await (const { key } of harness.store.all()) if (key === "a") break;
        await using unused = harness.store.all();
        await unused.close();
        assert.deepEqual(await unused.next(), { done: true, value: undefined });
      }));

    it("order numbers by their bytes: negative ones last", () =>
      withStore(open({ key: int32Serde, value: int32Serde }), async ({ store, commit }) => {
        for (const each of [1, -1, 256, 0, -2]) store.put(each, each);
        await commit();
        assert.deepEqual(
          (await all(store.all())).map(({ value }) => value),
          [0, 1, 256, -2, -1],
        );
        assert.throws(() => store.range(-1, 1), TypeError);
        assert.deepEqual(
          (await all(store.range(1, -2))).map(({ value }) => value),
          [1, 256, -2],
        );
      }));

    it("come through thousands of entries in two places", () =>
      withStore(open({ key: int32Serde, value: int32Serde }), async ({ store, commit }) => {
        const count = 3_000;
        for (let i = 0; i < count; i++) store.put(i, -1);
        await commit();
        for (let i = 0; i < count; i += 2) store.put(i, i);
        for (let i = 0; i < count; i += 3) store.delete(i);
        const expected = Array.from({ length: count }, (_, i) => [i, i % 2 === 0 ? i : -1]).filter(
          (_, i) => i % 3 !== 0,
        );
        assert.deepEqual(
          (await all(store.all())).map(({ key, value }) => [key, value]),
          expected,
        );
        assert.deepEqual(
          (await all(store.reverseAll())).map(({ key }) => key),
          expected.map(([key]) => key).toReversed(),
        );
      }));
  });

  describe("a key-value store's transactions", () => {
    it("drop all that was written when they abort", () =>
      withStore(strings(), async (harness) => {
        const { store, commit, abort } = harness;
        store.putAll([
          { key: "a", value: "1" },
          { key: "b", value: "1" },
        ]);
        await commit();
        store.put("a", "2");
        store.delete("b");
        store.put("c", "2");
        await abort();
        assert.deepEqual(await all(store.all()), [
          { key: "a", value: "1" },
          { key: "b", value: "1" },
        ]);
        assert.equal(store.get("c"), null);
        await commit();
        assert.deepEqual(await all(store.all()), [
          { key: "a", value: "1" },
          { key: "b", value: "1" },
        ]);
      }));

    it("are seen by others when they have committed, and not before", () =>
      withStore(strings(), async ({ store, readOnly, commit, abort }) => {
        store.put("a", "1");
        assert.equal(readOnly.get("a"), null);
        assert.deepEqual(await all(readOnly.all()), []);
        await commit();
        assert.equal(readOnly.get("a"), "1");
        store.put("a", "2");
        store.put("b", "2");
        assert.equal(readOnly.get("a"), "1");
        assert.deepEqual(await all(readOnly.range(null, null)), [{ key: "a", value: "1" }]);
        await abort();
        assert.equal(readOnly.get("a"), "1");
        assert.equal(readOnly.get("b"), null);
      }));

    it("say about how much there is", () =>
      withStore(strings(), async ({ store, commit }) => {
        assert.equal(await store.approximateNumEntries(), 0);
        for (let i = 0; i < 1_000; i++) store.put(`key ${i}`, "x");
        await commit();
        const entries = await store.approximateNumEntries();
        assert.ok(entries >= 0 && entries < 100_000, `${entries} entries`);
      }));
  });

  describe("a key-value store's values with an end", () => {
    it("are hidden once stream time has come to their end, by reads of each kind", () =>
      withStore(strings(), async ({ store, readOnly, at, commit }) => {
        at(1_000);
        store.put("a", "1", { ttlMs: 10 });
        store.put("b", "1");
        at(1_009);
        store.put("c", "1");
        assert.equal(store.get("a"), "1");
        await commit();
        assert.equal(store.get("a"), "1");
        assert.equal(readOnly.get("a"), "1");
        at(1_010);
        store.put("c", "2");
        assert.equal(store.get("a"), null);
        assert.equal(readOnly.get("a"), "1");
        assert.deepEqual(
          (await all(store.all())).map(({ key }) => key),
          ["b", "c"],
        );
        assert.deepEqual(
          (await all(store.reverseRange("a", "b"))).map(({ key }) => key),
          ["b"],
        );
        assert.deepEqual(await all(store.prefixScan("a")), []);
        assert.equal(store.delete("a"), null);
        await commit();
        assert.equal(readOnly.get("a"), null);
      }));

    it("are there again when the record that moved time is aborted", () =>
      withStore(strings(), async ({ store, at, commit, abort }) => {
        at(0);
        store.put("a", "1", { ttlMs: 10 });
        await commit();
        at(10);
        store.put("b", "1");
        assert.equal(store.get("a"), null);
        await abort();
        assert.equal(store.get("a"), "1");
      }));

    it("have another end, or none, when they are put again", () =>
      withStore(strings(), async ({ store, at, commit }) => {
        at(0);
        for (const key of ["a", "b", "c"]) store.put(key, "1", { ttlMs: 10 });
        await commit();
        store.put("a", "2", { ttlMs: 20 });
        store.put("b", "2", {});
        at(15);
        store.put("x", "1");
        await commit();
        assert.deepEqual([store.get("a"), store.get("b"), store.get("c")], ["2", "2", null]);
        await commit();
        at(20);
        store.put("x", "2");
        await commit();
        await commit();
        assert.deepEqual(await all(store.all()), [
          { key: "b", value: "2" },
          { key: "x", value: "2" },
        ]);
      }));

    it("count as absent for putIfAbsent, which may give an end too", () =>
      withStore(strings(), async ({ store, at }) => {
        at(0);
        assert.equal(store.putIfAbsent("a", "1", { ttlMs: 10 }), null);
        assert.equal(store.putIfAbsent("a", "2", { ttlMs: 10 }), "1");
        at(10);
        store.put("x", "1");
        assert.equal(store.putIfAbsent("a", "3"), null);
        assert.equal(store.get("a"), "3");
      }));
  });

  describe("a key-value store's arguments", () => {
    it("are refused when a key is missing, and nothing is written", () =>
      withStore(strings(), async ({ store, readOnly }) => {
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
      withStore(strings(), async ({ store }) => {
        store.put("a", "1");
        assert.throws(() => store.put("a", undefined as unknown as string), TypeError);
        assert.throws(() => store.put("a", 2 as unknown as string), { code: "EOS_SERDE" });
        assert.equal(store.get("a"), "1");
      }));

    it("are refused when an option of put is unknown or wrong", () =>
      withStore(strings(), async ({ store }) => {
        assert.throws(() => store.put("a", "1", { ttl: 5 } as object), /did you mean "ttlMs"/);
        for (const ttlMs of [0, -1, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1]) {
          assert.throws(() => store.put("a", "1", { ttlMs }), TypeError);
        }
        assert.equal(store.get("a"), null);
      }));

    it("are refused when a range is the wrong way round", () =>
      withStore(strings(), async ({ store, readOnly }) => {
        assert.throws(() => store.range("b", "a"), TypeError);
        assert.throws(() => store.reverseRange("b", "a"), TypeError);
        assert.throws(() => readOnly.range("b", "a"), TypeError);
      }));
  });
}

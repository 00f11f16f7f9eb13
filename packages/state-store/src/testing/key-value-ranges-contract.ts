import assert from "node:assert/strict";
import { bytesSerde, int32Serde, stringSerde } from "@eos/core";
import { all, withStore } from "./contract.ts";
import { type KeyValueContract, type OpenedKeyValueStore, openStrings } from "./key-value-harness.ts";

/** In the order of their bytes. A key that is another's beginning comes before it. */
const KEYS = ["", "a", "a\0", "aa", "ab", "b", "b\u{7f}", "é", "\u{ffff}", "\u{1f600}"];

/** The keys lie in the committed state, in the transaction above it, or in both. */
async function fill(harness: Awaited<OpenedKeyValueStore<string, string>>): Promise<void> {
  for (const [i, key] of KEYS.entries()) if (i % 3 !== 0) harness.store.put(key, `old ${i}`);
  harness.store.put("to be deleted", "x");
  await harness.commit();
  for (const [i, key] of KEYS.entries()) if (i % 3 !== 1) harness.store.put(key, `new ${i}`);
  harness.store.delete("to be deleted");
}

/** Ranges of keys. */
export function testKeyValueRanges({ describe, it, open }: KeyValueContract): void {
  describe("a key-value store's ranges", () => {
    it("give all entries in the order of their keys' bytes, wherever they lie, and the other way round", () =>
      withStore(openStrings({ open }), async (harness) => {
        await fill(harness);
        const expected = KEYS.map((key, i) => ({ key, value: `${i % 3 === 1 ? "old" : "new"} ${i}` }));
        assert.deepEqual(await all(harness.store.all()), expected);
        assert.deepEqual(await all(harness.store.reverseAll()), expected.toReversed());
        await harness.commit();
        assert.deepEqual(await all(harness.store.all()), expected);
        assert.deepEqual(await all(harness.store.reverseAll()), expected.toReversed());
      }));

    it("have both bounds in them, and end with the store where a bound is null", () =>
      withStore(openStrings({ open }), async (harness) => {
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
      withStore(openStrings({ open }), async ({ store }) => {
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
      withStore(openStrings({ open }), async (harness) => {
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
      withStore(openStrings({ open }), async ({ store, commit }) => {
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
      withStore(openStrings({ open }), async (harness) => {
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
}

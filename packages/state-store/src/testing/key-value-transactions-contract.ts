import assert from "node:assert/strict";
import { all, withStore } from "./contract.ts";
import { type KeyValueContract, openStrings } from "./key-value-harness.ts";

/** What commits, aborts and time do. */
export function testKeyValueTransactions({ describe, it, open }: KeyValueContract): void {
  describe("a key-value store's transactions", () => {
    it("drop all that was written when they abort", () =>
      withStore(openStrings({ open }), async (harness) => {
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
      withStore(openStrings({ open }), async ({ store, readOnly, commit, abort }) => {
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
      withStore(openStrings({ open }), async ({ store, commit }) => {
        assert.equal(await store.approximateNumEntries(), 0);
        for (let i = 0; i < 1_000; i++) store.put(`key ${i}`, "x");
        await commit();
        const entries = await store.approximateNumEntries();
        assert.ok(entries >= 0 && entries < 100_000, `${entries} entries`);
      }));
  });

  describe("a key-value store's values with an end", () => {
    it("are hidden once stream time has come to their end, by reads of each kind", () =>
      withStore(openStrings({ open }), async ({ store, readOnly, at, commit }) => {
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
      withStore(openStrings({ open }), async ({ store, at, commit, abort }) => {
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
      withStore(openStrings({ open }), async ({ store, at, commit }) => {
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
      withStore(openStrings({ open }), async ({ store, at }) => {
        at(0);
        assert.equal(store.putIfAbsent("a", "1", { ttlMs: 10 }), null);
        assert.equal(store.putIfAbsent("a", "2", { ttlMs: 10 }), "1");
        at(10);
        store.put("x", "1");
        assert.equal(store.putIfAbsent("a", "3"), null);
        assert.equal(store.get("a"), "3");
      }));
  });
}

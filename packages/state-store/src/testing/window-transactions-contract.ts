import assert from "node:assert/strict";
import { all, withStore } from "./contract.ts";
import { type OpenedWindowStore, openStrings, starts, type WindowContract, windows } from "./window-harness.ts";

export function testWindowTransactions({ describe, it, open }: WindowContract): void {
  const strings = (options?: { readonly retainDuplicates: boolean }): OpenedWindowStore<string, string> =>
    openStrings(open, options);

  describe("a window store's retention", () => {
    it("hides a window once stream time has gone past it, though its segment is there", () =>
      withStore(strings(), async ({ store, readOnly, commit }) => {
        store.put("a", "1", 110);
        store.put("a", "1", 111);
        store.put("a", "1", 209);
        await commit();
        assert.deepEqual(await starts(store.fetch("a", 0, 300)), [110, 111, 209]);
        store.put("b", "1", 210);
        assert.equal(store.fetch("a", 110), null);
        assert.deepEqual(await starts(store.fetch("a", 0, 300)), [111, 209]);
        assert.deepEqual(await windows(store.all()), [
          ["a", 111],
          ["a", 209],
          ["b", 210],
        ]);
        assert.deepEqual(await windows(store.fetchAll(0, 110)), []);
        assert.equal(readOnly.fetch("a", 110), "1");
        await commit();
        assert.equal(readOnly.fetch("a", 110), null);
        assert.deepEqual(await windows(readOnly.backwardFetch("a", "b", 0, 300)), [
          ["b", 210],
          ["a", 209],
          ["a", 111],
        ]);
      }));

    it("drops what is put too late", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put("a", "1", 200);
        store.put("a", "1", 100);
        store.put("a", "1", 101);
        assert.deepEqual(await starts(store.fetch("a", 0, 300)), [101, 200]);
        await commit();
        assert.deepEqual(await starts(store.fetch("a", 0, 300)), [101, 200]);
      }));

    it("is of the time that was committed after an abort", () =>
      withStore(strings(), async ({ store, commit, abort }) => {
        store.put("a", "1", 10);
        await commit();
        store.put("a", "1", 10_000);
        assert.equal(store.fetch("a", 10), null);
        await abort();
        assert.equal(store.fetch("a", 10), "1");
        store.put("a", "2", 11);
        assert.deepEqual(await starts(store.fetch("a", 0, 100)), [10, 11]);
        await commit();
        assert.deepEqual(await starts(store.fetch("a", 0, 100)), [10, 11]);
      }));

    it("lets go of whole segments, again and again", () =>
      withStore(strings(), async ({ store, commit }) => {
        for (let start = 0; start < 2_000; start += 25) {
          store.put("a", String(start), start);
          if (start % 75 === 0) await commit();
          const live = [start - 75, start - 50, start - 25, start].filter((each) => each >= 0);
          assert.deepEqual(await starts(store.fetch("a", -Infinity, Infinity)), live);
        }
      }));
  });

  describe("a window store's transactions", () => {
    it("drop all that was written when they abort", () =>
      withStore(strings(), async ({ store, commit, abort }) => {
        store.put("a", "1", 10);
        store.put("b", "1", 10);
        await commit();
        store.put("a", "2", 10);
        store.put("b", null, 10);
        store.put("c", "2", 10);
        await abort();
        assert.deepEqual(await windows(store.all()), [
          ["a", 10],
          ["b", 10],
        ]);
        assert.equal(store.fetch("a", 10), "1");
      }));

    it("are seen by others when they have committed, and not before", () =>
      withStore(strings(), async ({ store, readOnly, commit }) => {
        store.put("a", "1", 10);
        assert.equal(readOnly.fetch("a", 10), null);
        assert.deepEqual(await windows(readOnly.all()), []);
        await commit();
        store.put("a", "2", 10);
        assert.equal(readOnly.fetch("a", 10), "1");
        assert.deepEqual(await all(readOnly.fetch("a", 0, 10)), [{ key: 10, value: "1" }]);
      }));
  });
}

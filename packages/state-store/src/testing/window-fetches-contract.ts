import assert from "node:assert/strict";
import { int32Serde } from "@eos/core";
import { all, withStore } from "./contract.ts";
import {
  fill,
  KEYS,
  type OpenedWindowStore,
  openStrings,
  ordered,
  SHAPE,
  STARTS,
  starts,
  type WindowContract,
  windows,
} from "./window-harness.ts";

export function testWindowFetches({ describe, it, open }: WindowContract): void {
  const strings = (options?: { readonly retainDuplicates: boolean }): OpenedWindowStore<string, string> =>
    openStrings(open, options);

  describe("a window store's fetches", () => {
    it("give a key's windows of a time in its order, wherever they lie, and the other way round", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        for (const key of KEYS) {
          for (const from of [-Infinity, -1, 0, ...STARTS, 201]) {
            for (const to of [...STARTS, 201, Infinity].filter((each) => each >= from)) {
              const expected = STARTS.filter((start) => start >= from && start <= to);
              assert.deepEqual(await starts(harness.store.fetch(key, from, to)), expected, `${key} ${from} ${to}`);
              assert.deepEqual(await starts(harness.store.backwardFetch(key, from, to)), expected.toReversed());
            }
          }
        }
      }));

    it("give the windows of a range of keys by segment, key and time, and the other way round", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        const { store } = harness;
        for (let first = -1; first < KEYS.length; first++) {
          for (let last = Math.max(first, 0); last <= KEYS.length; last++) {
            const bounds = [KEYS[first] ?? null, KEYS[last] ?? null] as const;
            const keys = KEYS.slice(Math.max(first, 0), last + 1);
            for (const [from, to] of [
              [-Infinity, Infinity],
              [120, 199],
              [149, 150],
            ] as const) {
              const expected = ordered(keys, from, to);
              assert.deepEqual(await windows(store.fetch(...bounds, from, to)), expected);
              assert.deepEqual(await windows(store.backwardFetch(...bounds, from, to)), expected.toReversed());
            }
          }
        }
      }));

    it("give all windows, or all of a time, before the commit and after it", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        const { store, commit } = harness;
        for (const _turn of ["before the commit", "after it"]) {
          assert.deepEqual(await windows(store.all()), ordered(KEYS, 0, 200));
          assert.deepEqual(await windows(store.backwardAll()), ordered(KEYS, 0, 200).toReversed());
          assert.deepEqual(await windows(store.fetchAll(120, 150)), ordered(KEYS, 120, 150));
          assert.deepEqual(await windows(store.backwardFetchAll(120, 150)), ordered(KEYS, 120, 150).toReversed());
          await commit();
        }
      }));

    it("are of the moment they were opened at, in all segments", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put("a", "1", 120);
        store.put("a", "1", 170);
        await commit();
        const before = [store.fetch("a", 100, 200), store.backwardFetch("a", 100, 200)] as const;
        store.put("a", "2", 120);
        store.put("a", null, 170);
        store.put("a", "2", 171);
        await commit();
        const opened = [
          { key: 120, value: "1" },
          { key: 170, value: "1" },
        ];
        assert.deepEqual(await all(before[0]), opened);
        assert.deepEqual(await all(before[1]), opened.toReversed());
        assert.deepEqual(await all(store.fetch("a", 100, 200)), [
          { key: 120, value: "2" },
          { key: 171, value: "2" },
        ]);
      }));

    it("can be left in the middle, and be closed twice", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        for await (const { key } of harness.store.fetch("a", 0, 200)) if (key === 120) break;
        await using unused = harness.store.all();
        await unused.close();
        assert.deepEqual(await unused.next(), { done: true, value: undefined });
      }));

    it("order numbers by their bytes: negative ones last", () =>
      withStore(open({ key: int32Serde, value: int32Serde, ...SHAPE }), async ({ store }) => {
        for (const each of [1, -1, 256, 0, -2]) store.put(each, each, 10);
        assert.deepEqual(
          (await windows(store.all())).map(([key]) => key),
          [0, 1, 256, -2, -1],
        );
        assert.deepEqual(
          (await windows(store.fetch(1, -2, 0, 10))).map(([key]) => key),
          [1, 256, -2],
        );
      }));
  });
}

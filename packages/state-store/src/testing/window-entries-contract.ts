import assert from "node:assert/strict";
import { bytesSerde, type Serde, stringSerde } from "@eos/core";
import type { KeyValue } from "../key-value/key-value-store.ts";
import type { WindowStore } from "../window/window-store.ts";
import { all, withStore } from "./contract.ts";
import { type OpenedWindowStore, openStrings, SHAPE, starts, type WindowContract, windows } from "./window-harness.ts";

export function testWindowEntries({ describe, it, open }: WindowContract): void {
  const strings = (options?: { readonly retainDuplicates: boolean }): OpenedWindowStore<string, string> =>
    openStrings(open, options);

  describe("a window store's windows", () => {
    it("have a value each, which was put last, before the commit and after it", () =>
      withStore(strings(), async ({ store, commit }) => {
        assert.equal(store.fetch("a", 10), null);
        store.put("a", "1", 10);
        store.put("a", "2", 20);
        store.put("b", "3", 10);
        store.put("a", "4", 10);
        for (const turn of ["before the commit", "after it"]) {
          assert.deepEqual([store.fetch("a", 10), store.fetch("a", 20), store.fetch("b", 10)], ["4", "2", "3"], turn);
          assert.deepEqual([store.fetch("a", 11), store.fetch("b", 20), store.fetch("", 10)], [null, null, null], turn);
          await commit();
        }
      }));

    it("are gone when null was put, before the commit and after it", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put("a", "1", 10);
        store.put("a", "2", 20);
        await commit();
        store.put("a", null, 10);
        store.put("a", null, 30);
        for (const turn of ["before the commit", "after it"]) {
          assert.equal(store.fetch("a", 10), null, turn);
          assert.deepEqual(await starts(store.fetch("a", 0, 100)), [20], turn);
          await commit();
        }
      }));

    it("start with the time they were put with, and end by the store's window size", () =>
      withStore(strings(), async ({ store }) => {
        store.put("a", "1", 10);
        assert.deepEqual(await all(store.all()), [
          { key: { key: "a", window: { startMs: 10, endMs: 20 } }, value: "1" },
        ]);
        assert.deepEqual(await all(store.fetch("a", 0, 100)), [{ key: 10, value: "1" }]);
      }));

    it("keep their bytes to themselves", () =>
      withStore(open({ key: bytesSerde, value: bytesSerde, ...SHAPE }), async ({ store, commit }) => {
        const value = Buffer.from("value");
        const key = Buffer.from("k");
        store.put(key, value, 10);
        value.fill(0);
        for (const _turn of ["before the commit", "after it"]) {
          store.fetch(key, 10)?.fill(0);
          for (const each of await all(store.all())) {
            each.value.fill(0);
            each.key.key.fill(0);
          }
          for (const each of await all(store.fetch(key, 0, 100))) each.value.fill(0);
          assert.equal(String(store.fetch(key, 10)), "value");
          await commit();
        }
      }));

    it("let a serde use the store in the middle of a put", async () => {
      const opened: { store?: WindowStore<string, string> } = {};
      const nosy: Serde<string> = {
        ...stringSerde,
        serialize(topic, value) {
          opened.store?.fetch("b, a longer key", 70);
          return stringSerde.serialize(topic, value);
        },
      };
      await withStore(open({ key: stringSerde, value: nosy, ...SHAPE }), async ({ store }) => {
        opened.store = store;
        store.put("a", "1", 10);
        assert.deepEqual(await windows(store.all()), [["a", 10]]);
      });
    });
  });

  describe("a window store that retains duplicates", () => {
    it("keeps all values of a window in the order they were put in", () =>
      withStore(strings({ retainDuplicates: true }), async ({ store, commit }) => {
        const values: KeyValue<number, string>[] = [];
        for (let i = 0; i < 40; i++) {
          store.put("a", `value ${i}`, 10);
          store.put("b", "another", 10);
          values.push({ key: 10, value: `value ${i}` });
          assert.equal(store.fetch("a", 10), `value ${i}`);
          if (i % 7 === 6) await commit();
        }
        assert.deepEqual(await all(store.fetch("a", 10, 10)), values);
        assert.deepEqual(await all(store.backwardFetch("a", 0, 20)), values.toReversed());
        assert.equal((await all(store.all())).length, 80);
      }));

    it("ignores null", () =>
      withStore(strings({ retainDuplicates: true }), async ({ store }) => {
        store.put("a", "1", 10);
        store.put("a", null, 10);
        store.put("a", null, 10_000);
        assert.equal(store.fetch("a", 10), "1");
        assert.equal(store.fetch("a", 11), null);
      }));

    it("forgets those of an aborted transaction", () =>
      withStore(strings({ retainDuplicates: true }), async ({ store, commit, abort }) => {
        store.put("a", "1", 10);
        await commit();
        store.put("a", "2", 10);
        store.put("a", "3", 10);
        await abort();
        store.put("a", "4", 10);
        await commit();
        assert.deepEqual(await all(store.fetch("a", 0, 20)), [
          { key: 10, value: "1" },
          { key: 10, value: "4" },
        ]);
      }));
  });

  describe("a window store's arguments", () => {
    it("are refused when a key is missing", () =>
      withStore(strings(), async ({ store, readOnly }) => {
        for (const key of [null, undefined] as unknown as string[]) {
          assert.throws(() => store.put(key, "1", 10), TypeError);
          assert.throws(() => store.fetch(key, 10), TypeError);
          assert.throws(() => readOnly.fetch(key, 10), TypeError);
          assert.throws(() => store.fetch(key, 0, 10), TypeError);
          assert.throws(() => store.backwardFetch(key, 0, 10), TypeError);
        }
        assert.throws(() => store.fetch(undefined as unknown as string, "a", 0, 10), TypeError);
        assert.deepEqual(await windows(store.all()), []);
      }));

    it("are refused when a value is undefined or no value for the serde, also when it would be too late", () =>
      withStore(strings(), async ({ store }) => {
        store.put("a", "1", 200);
        for (const start of [10, 200]) {
          assert.throws(() => store.put("a", undefined as unknown as string, start), TypeError);
          assert.throws(() => store.put("a", 2 as unknown as string, start), { code: "EOS_SERDE" });
        }
        assert.equal(store.fetch("a", 200), "1");
      }));

    it("are refused when a time is none, or what is stored lies before the epoch", () =>
      withStore(strings(), async ({ store }) => {
        for (const time of [Number.NaN, 1.5, undefined, "10", 10n] as unknown as number[]) {
          assert.throws(() => store.put("a", "1", time), TypeError);
          assert.throws(() => store.fetchAll(time, 10), TypeError);
          assert.throws(() => store.fetchAll(0, time), TypeError);
        }
        assert.throws(() => store.fetch("a", Number.NaN), TypeError);
        assert.throws(() => store.put("a", "1", -1), TypeError);
        assert.throws(() => store.put("a", "1", Infinity), TypeError);
        assert.equal(store.fetch("a", -1), null);
      }));

    it("are refused when bounds are the wrong way round", () =>
      withStore(strings(), async ({ store, readOnly }) => {
        assert.throws(() => store.fetch("a", 11, 10), TypeError);
        assert.throws(() => store.fetchAll(11, 10), TypeError);
        assert.throws(() => store.fetch("b", "a", 0, 10), TypeError);
        assert.throws(() => readOnly.backwardFetch("b", "a", 0, 10), TypeError);
      }));
  });
}

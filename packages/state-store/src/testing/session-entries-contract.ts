import assert from "node:assert/strict";
import { bytesSerde, type Serde, stringSerde } from "@eos/core";
import type { SessionStore } from "../session/session-store.ts";
import type { Windowed } from "../window/windowed.ts";
import { all, withStore } from "./contract.ts";
import {
  type OpenedSessionStore,
  openStrings,
  session,
  type SessionContract,
  sessions,
  SHAPE,
} from "./session-harness.ts";

export function testSessionEntries({ describe, it, open }: SessionContract): void {
  const strings = (): OpenedSessionStore<string, string> => openStrings(open);

  describe("a session store's sessions", () => {
    it("have a value each, which was put last, before the commit and after it", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put(session("a", 10, 20), "1");
        store.put(session("a", 10, 30), "2");
        store.put(session("b", 10, 20), "3");
        store.put(session("a", 10, 20), "4");
        for (const turn of ["before the commit", "after it"]) {
          assert.equal(store.fetchSession("a", 10, 20), "4", turn);
          assert.equal(store.fetchSession("a", 10, 30), "2", turn);
          assert.equal(store.fetchSession("b", 10, 20), "3", turn);
          for (const [start, end] of [
            [10, 21],
            [11, 20],
            [20, 10],
          ] as const) {
            assert.equal(store.fetchSession("a", start, end), null, turn);
          }
          await commit();
        }
      }));

    it("are gone when they were removed, or null was put, before the commit and after it", () =>
      withStore(strings(), async ({ store, commit }) => {
        for (const end of [20, 30, 40]) store.put(session("a", 10, end), "1");
        await commit();
        store.remove(session("a", 10, 20));
        store.put(session("a", 10, 40), null);
        store.remove(session("a", 10, 50));
        for (const turn of ["before the commit", "after it"]) {
          assert.equal(store.fetchSession("a", 10, 20), null, turn);
          assert.deepEqual(await sessions(store.fetch("a")), [["a", 10, 30]], turn);
          await commit();
        }
      }));

    it("are what was put, as a whole", () =>
      withStore(strings(), async ({ store }) => {
        store.put(session("a", 10, 20), "1");
        assert.deepEqual(await all(store.fetch("a")), [{ key: session("a", 10, 20), value: "1" }]);
      }));

    it("can be merged into one", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put(session("a", 10, 20), "1");
        store.put(session("a", 30, 40), "1");
        await commit();
        let count = 1;
        for await (const { key, value } of store.findSessions("a", 25 - 5, 25 + 5)) {
          count += Number(value);
          store.remove(key);
        }
        store.put(session("a", 10, 40), String(count));
        assert.deepEqual(await all(store.fetch("a")), [{ key: session("a", 10, 40), value: "3" }]);
        await commit();
        assert.deepEqual(await all(store.fetch("a")), [{ key: session("a", 10, 40), value: "3" }]);
      }));

    it("keep their bytes to themselves", () =>
      withStore(open({ key: bytesSerde, value: bytesSerde, ...SHAPE }), async ({ store, commit }) => {
        const key = Buffer.from("k");
        const value = Buffer.from("value");
        store.put(session(key, 10, 20), value);
        value.fill(0);
        for (const _turn of ["before the commit", "after it"]) {
          store.fetchSession(key, 10, 20)?.fill(0);
          for (const each of await all(store.fetch(key))) {
            each.value.fill(0);
            each.key.key.fill(0);
          }
          assert.equal(String(store.fetchSession(key, 10, 20)), "value");
          await commit();
        }
      }));

    it("let a serde use the store in the middle of a put", async () => {
      const opened: { store?: SessionStore<string, string> } = {};
      const nosy: Serde<string> = {
        ...stringSerde,
        serialize(topic, value) {
          opened.store?.fetchSession("b, a longer key", 60, 70);
          return stringSerde.serialize(topic, value);
        },
      };
      await withStore(open({ key: stringSerde, value: nosy, ...SHAPE }), async ({ store }) => {
        opened.store = store;
        store.put(session("a", 10, 20), "1");
        assert.deepEqual(await sessions(store.fetch(null, null)), [["a", 10, 20]]);
      });
    });
  });

  describe("a session store's arguments", () => {
    it("are refused when a key is missing", () =>
      withStore(strings(), async ({ store, readOnly }) => {
        for (const key of [null, undefined] as unknown as string[]) {
          assert.throws(() => store.put(session(key, 10, 20), "1"), TypeError);
          assert.throws(() => store.remove(session(key, 10, 20)), TypeError);
          assert.throws(() => store.fetchSession(key, 10, 20), TypeError);
          assert.throws(() => store.fetch(key), TypeError);
          assert.throws(() => readOnly.backwardFetch(key), TypeError);
          assert.throws(() => store.findSessions(key, 10, 20), TypeError);
        }
        assert.throws(() => store.fetch(undefined as unknown as string, "a"), TypeError);
      }));

    it("are refused when a value is undefined or no value for the serde, also when it would be too late", () =>
      withStore(strings(), async ({ store }) => {
        store.put(session("a", 0, 200), "1");
        for (const end of [10, 200]) {
          assert.throws(() => store.put(session("a", 0, end), undefined as unknown as string), TypeError);
          assert.throws(() => store.put(session("a", 0, end), 2 as unknown as string), { code: "EOS_SERDE" });
        }
        assert.equal(store.fetchSession("a", 0, 200), "1");
      }));

    it("are refused when a session is none, or a time is none", () =>
      withStore(strings(), async ({ store }) => {
        for (const none of [undefined, null, "a", {}, { key: "a" }, { key: "a", window: null }]) {
          assert.throws(() => store.put(none as unknown as Windowed<string>, "1"), TypeError);
        }
        for (const time of [Number.NaN, 1.5, undefined, "10", 10n] as unknown as number[]) {
          assert.throws(() => store.put(session("a", 0, time), "1"), TypeError);
          assert.throws(() => store.put(session("a", time, 10), "1"), TypeError);
          assert.throws(() => store.fetchSession("a", 0, time), TypeError);
          assert.throws(() => store.findSessions(null, null, time, 10), TypeError);
        }
        assert.throws(() => store.put(session("a", -1, 10), "1"), TypeError);
        assert.throws(() => store.put(session("a", 11, 10), "1"), TypeError);
        assert.equal(store.fetchSession("a", -10, -1), null);
        assert.deepEqual(await sessions(store.fetch(null, null)), []);
      }));

    it("are refused when keys are the wrong way round", () =>
      withStore(strings(), async ({ store, readOnly }) => {
        assert.throws(() => store.fetch("b", "a"), TypeError);
        assert.throws(() => readOnly.backwardFindSessions("b", "a", 0, 10), TypeError);
      }));
  });
}

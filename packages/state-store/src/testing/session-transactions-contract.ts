import assert from "node:assert/strict";
import { all, withStore } from "./contract.ts";
import { type OpenedSessionStore, openStrings, session, type SessionContract, sessions } from "./session-harness.ts";

export function testSessionTransactions({ describe, it, open }: SessionContract): void {
  const strings = (): OpenedSessionStore<string, string> => openStrings(open);

  describe("a session store's retention", () => {
    it("hides a session once stream time has gone past its end, though its segment is there", () =>
      withStore(strings(), async ({ store, readOnly, commit }) => {
        store.put(session("a", 0, 110), "1");
        store.put(session("a", 0, 111), "1");
        await commit();
        store.put(session("b", 0, 210), "1");
        assert.equal(store.fetchSession("a", 0, 110), null);
        assert.deepEqual(await sessions(store.fetch("a")), [["a", 0, 111]]);
        assert.deepEqual(await sessions(store.findSessions(null, null, 0, 300)), [
          ["a", 0, 111],
          ["b", 0, 210],
        ]);
        assert.equal(readOnly.fetchSession("a", 0, 110), "1");
        await commit();
        assert.equal(readOnly.fetchSession("a", 0, 110), null);
        assert.deepEqual(await sessions(readOnly.backwardFetch("a", "b")), [
          ["b", 0, 210],
          ["a", 0, 111],
        ]);
      }));

    it("drops what is put too late", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put(session("a", 200, 200), "1");
        store.put(session("a", 0, 100), "1");
        store.put(session("a", 0, 101), "1");
        store.remove(session("a", 0, 99));
        await commit();
        assert.deepEqual(await sessions(store.fetch("a")), [
          ["a", 0, 101],
          ["a", 200, 200],
        ]);
      }));

    it("counts the end of a session that is removed", () =>
      withStore(strings(), async ({ store }) => {
        store.put(session("a", 0, 100), "1");
        store.remove(session("b", 0, 200));
        assert.deepEqual(await sessions(store.fetch("a")), []);
      }));

    it("is of the time that was committed after an abort", () =>
      withStore(strings(), async ({ store, commit, abort }) => {
        store.put(session("a", 0, 10), "1");
        await commit();
        store.put(session("a", 0, 10_000), "1");
        assert.equal(store.fetchSession("a", 0, 10), null);
        await abort();
        assert.equal(store.fetchSession("a", 0, 10), "1");
        store.put(session("a", 0, 11), "1");
        await commit();
        assert.deepEqual(await sessions(store.fetch("a")), [
          ["a", 0, 10],
          ["a", 0, 11],
        ]);
      }));

    it("lets go of whole segments, again and again", () =>
      withStore(strings(), async ({ store, commit }) => {
        for (let end = 0; end < 2_000; end += 25) {
          store.put(session("a", 0, end), String(end));
          if (end % 75 === 0) await commit();
          const live = [end - 75, end - 50, end - 25, end].filter((each) => each >= 0);
          assert.deepEqual(
            (await sessions(store.fetch("a"))).map(([, , each]) => each),
            live,
          );
        }
      }));
  });

  describe("a session store's transactions", () => {
    it("drop all that was written when they abort", () =>
      withStore(strings(), async ({ store, commit, abort }) => {
        store.put(session("a", 10, 20), "1");
        await commit();
        store.put(session("a", 10, 20), "2");
        store.put(session("b", 10, 20), "2");
        await abort();
        assert.deepEqual(await all(store.fetch(null, null)), [{ key: session("a", 10, 20), value: "1" }]);
        store.remove(session("a", 10, 20));
        await abort();
        assert.equal(store.fetchSession("a", 10, 20), "1");
      }));

    it("are seen by others when they have committed, and not before", () =>
      withStore(strings(), async ({ store, readOnly, commit }) => {
        store.put(session("a", 10, 20), "1");
        assert.equal(readOnly.fetchSession("a", 10, 20), null);
        assert.deepEqual(await sessions(readOnly.fetch("a")), []);
        await commit();
        store.remove(session("a", 10, 20));
        assert.equal(readOnly.fetchSession("a", 10, 20), "1");
        assert.deepEqual(await sessions(readOnly.findSessions("a", 0, 100)), [["a", 10, 20]]);
      }));
  });
}

import assert from "node:assert/strict";
import { int32Serde } from "@eos/core";
import { withStore } from "./contract.ts";
import {
  fill,
  KEYS,
  type OpenedSessionStore,
  openStrings,
  ordered,
  session,
  type SessionContract,
  sessions,
  SHAPE,
} from "./session-harness.ts";

export function testSessionFinds({ describe, it, open }: SessionContract): void {
  const strings = (): OpenedSessionStore<string, string> => openStrings(open);

  describe("a session store's reads of several sessions", () => {
    it("find a key's sessions that touch a time, in order, and the other way round", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        const { store } = harness;
        for (const key of KEYS) {
          for (const earliestEnd of [-Infinity, -1, 101, 102, 150, 199, 201, Infinity]) {
            for (const latestStart of [-Infinity, -1, 0, 60, 149, 200, Infinity]) {
              const found = ordered(([of, start, end]) => of === key && end >= earliestEnd && start <= latestStart);
              assert.deepEqual(await sessions(store.findSessions(key, earliestEnd, latestStart)), found);
              const backward = store.backwardFindSessions(key, earliestEnd, latestStart);
              assert.deepEqual(await sessions(backward), found.toReversed());
            }
          }
        }
      }));

    it("find the sessions of a range of keys by segment, key and time, and the other way round", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        const { store } = harness;
        for (let first = -1; first < KEYS.length; first++) {
          for (let last = Math.max(first, 0); last <= KEYS.length; last++) {
            const bounds = [KEYS[first] ?? null, KEYS[last] ?? null] as const;
            const keys = KEYS.slice(Math.max(first, 0), last + 1);
            for (const [earliestEnd, latestStart] of [
              [-Infinity, Infinity],
              [149, 149],
              [150, 60],
            ] as const) {
              const found = ordered(
                ([key, start, end]) => keys.includes(key) && end >= earliestEnd && start <= latestStart,
              );
              assert.deepEqual(await sessions(store.findSessions(...bounds, earliestEnd, latestStart)), found);
              const backward = store.backwardFindSessions(...bounds, earliestEnd, latestStart);
              assert.deepEqual(await sessions(backward), found.toReversed());
            }
          }
        }
      }));

    it("give all sessions of a key, or of a range of keys, before the commit and after it", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        const { store, commit } = harness;
        const one = ordered(([key]) => key === "a");
        const some = ordered(([key]) => key >= "a" && key <= "aa");
        const every = ordered(() => true);
        for (const _turn of ["before the commit", "after it"]) {
          assert.deepEqual(await sessions(store.fetch("a")), one);
          assert.deepEqual(await sessions(store.backwardFetch("a")), one.toReversed());
          assert.deepEqual(await sessions(store.fetch("a", "aa")), some);
          assert.deepEqual(await sessions(store.backwardFetch("a", "aa")), some.toReversed());
          assert.deepEqual(await sessions(store.fetch(null, null)), every);
          assert.deepEqual(await sessions(store.backwardFetch(null, null)), every.toReversed());
          await commit();
        }
      }));

    it("are of the moment they were opened at, in all segments", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put(session("a", 100, 120), "1");
        store.put(session("a", 160, 170), "1");
        await commit();
        const before = store.fetch("a");
        store.remove(session("a", 160, 170));
        store.put(session("a", 160, 171), "2");
        await commit();
        assert.deepEqual(await sessions(before), [
          ["a", 100, 120],
          ["a", 160, 170],
        ]);
        assert.deepEqual(await sessions(store.fetch("a")), [
          ["a", 100, 120],
          ["a", 160, 171],
        ]);
      }));

    it("can be left in the middle, and be closed twice", () =>
      withStore(strings(), async (harness) => {
        await fill(harness);
        for await (const { key } of harness.store.fetch("a")) if (key.window.endMs === 149) break;
        await using unused = harness.store.fetch("a");
        await unused.close();
        assert.deepEqual(await unused.next(), { done: true, value: undefined });
      }));

    it("order numbers by their bytes: negative ones last", () =>
      withStore(open({ key: int32Serde, value: int32Serde, ...SHAPE }), async ({ store }) => {
        for (const each of [1, -1, 256, 0, -2]) store.put(session(each, 10, 20), each);
        assert.deepEqual(
          (await sessions(store.fetch(null, null))).map(([key]) => key),
          [0, 1, 256, -2, -1],
        );
        assert.deepEqual(
          (await sessions(store.fetch(1, -2))).map(([key]) => key),
          [1, 256, -2],
        );
      }));
  });
}

import assert from "node:assert/strict";
import { bytesSerde, int32Serde, type Serde, stringSerde } from "@eos/core";
import type { ReadOnlySessionStore, SessionStore, SessionStoreOptions } from "../session/session-store.ts";
import type { WindowedIterator } from "../window/window-store.ts";
import type { Windowed } from "../window/windowed.ts";
import { all, type ContractRunner, type StoreUnderTest, withStore } from "./contract.ts";

type Opened<K, V> = Promise<StoreUnderTest<SessionStore<K, V>, ReadOnlySessionStore<K, V>>>;

/** The options of the store that a test wants. */
export type SessionStoreUnderTest<K, V> = Omit<SessionStoreOptions<K, V>, "name" | "storage" | "changelog">;

export interface SessionContract extends ContractRunner {
  open<K, V>(options: SessionStoreUnderTest<K, V>): Opened<K, V>;
}

type Session = readonly [key: string, startMs: number, endMs: number];

const RETENTION_MS = 100;
const SEGMENT_MS = 50;

/** Their starts and ends. Three segments of ends are live at the last one; the third ends where the fourth starts. */
const SPANS = [
  [0, 101],
  [101, 101],
  [60, 149],
  [149, 150],
  [10, 199],
  [150, 199],
  [200, 200],
] as const;
const KEYS = ["", "\0", "\0\0", "a", "a\0", "aa", "b", "é"];
const SESSIONS = KEYS.flatMap((key) => SPANS.map(([start, end]): Session => [key, start, end]));

function session<K>(key: K, startMs: number, endMs: number): Windowed<K> {
  return { key, window: { startMs, endMs } };
}

async function sessions<K, V>(iterator: WindowedIterator<K, V>): Promise<[K, number, number][]> {
  return (await all(iterator)).map(({ key: { key, window } }) => [key, window.startMs, window.endMs]);
}

/** By segment, then by the bytes of the key with the end and the start behind it. */
function ordered(wanted: (session: Session) => boolean): Session[] {
  return SESSIONS.filter(wanted).toSorted(
    (a, b) => Math.floor(a[2] / SEGMENT_MS) - Math.floor(b[2] / SEGMENT_MS) || bytesOf(a).compare(bytesOf(b)),
  );
}

function bytesOf([key, start, end]: Session): Buffer {
  const times = Buffer.alloc(16);
  times.writeBigInt64BE(BigInt(end));
  times.writeBigInt64BE(BigInt(start), 8);
  return Buffer.concat([Buffer.from(key), times]);
}

/**
 * What every session store keeps to, as tests: `testSessionStore({ describe, it, open })`. They use `node:assert`, so any
 * runner will do.
 */
export function testSessionStore({ describe, it, open }: SessionContract): void {
  const shape = { retentionMs: RETENTION_MS, segmentIntervalMs: SEGMENT_MS };
  const strings = (): Opened<string, string> => open({ key: stringSerde, value: stringSerde, ...shape });

  /** The sessions lie in the committed state, in the transaction above it, or in both. */
  async function fill({ store, commit }: Awaited<Opened<string, string>>): Promise<void> {
    for (const [i, [key, start, end]] of SESSIONS.entries()) if (i % 3 !== 0) store.put(session(key, start, end), "old");
    store.put(session("a", 160, 170), "x");
    await commit();
    for (const [i, [key, start, end]] of SESSIONS.entries()) if (i % 3 !== 1) store.put(session(key, start, end), "new");
    store.remove(session("a", 160, 170));
  }

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
          for (const [start, end] of [[10, 21], [11, 20], [20, 10]] as const) {
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
      withStore(open({ key: bytesSerde, value: bytesSerde, ...shape }), async ({ store, commit }) => {
        const key = Buffer.from("k");
        const value = Buffer.from("value");
        store.put(session(key, 10, 20), value);
        value.fill(0);
        for (const _turn of ["before the commit", "after it"]) {
          store.fetchSession(key, 10, 20)?.fill(0);
          for (const each of await all(store.fetch(key))) each.value.fill(0) && each.key.key.fill(0);
          assert.equal(String(store.fetchSession(key, 10, 20)), "value");
          await commit();
        }
      }));

    it("let a serde use the store in the middle of a put", async () => {
      const opened: { store?: SessionStore<string, string> } = {};
      const nosy: Serde<string> = {
        ...stringSerde,
        serialize(topic, value) {
          opened.store?.fetchSession("another, and longer, key", 60, 70);
          return stringSerde.serialize(topic, value);
        },
      };
      await withStore(open({ key: stringSerde, value: nosy, ...shape }), async ({ store }) => {
        opened.store = store;
        store.put(session("a", 10, 20), "1");
        assert.deepEqual(await sessions(store.fetch(null, null)), [["a", 10, 20]]);
      });
    });
  });

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
            for (const [earliestEnd, latestStart] of [[-Infinity, Infinity], [149, 149], [150, 60]] as const) {
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
        assert.deepEqual(await sessions(before), [["a", 100, 120], ["a", 160, 170]]);
        assert.deepEqual(await sessions(store.fetch("a")), [["a", 100, 120], ["a", 160, 171]]);
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
      withStore(open({ key: int32Serde, value: int32Serde, ...shape }), async ({ store }) => {
        for (const each of [1, -1, 256, 0, -2]) store.put(session(each, 10, 20), each);
        assert.deepEqual((await sessions(store.fetch(null, null))).map(([key]) => key), [0, 1, 256, -2, -1]);
        assert.deepEqual((await sessions(store.fetch(1, -2))).map(([key]) => key), [1, 256, -2]);
      }));
  });

  describe("a session store's retention", () => {
    it("hides a session once stream time has gone past its end, though its segment is there", () =>
      withStore(strings(), async ({ store, readOnly, commit }) => {
        store.put(session("a", 0, 110), "1");
        store.put(session("a", 0, 111), "1");
        await commit();
        store.put(session("b", 0, 210), "1");
        assert.equal(store.fetchSession("a", 0, 110), null);
        assert.deepEqual(await sessions(store.fetch("a")), [["a", 0, 111]]);
        assert.deepEqual(await sessions(store.findSessions(null, null, 0, 300)), [["a", 0, 111], ["b", 0, 210]]);
        assert.equal(readOnly.fetchSession("a", 0, 110), "1");
        await commit();
        assert.equal(readOnly.fetchSession("a", 0, 110), null);
        assert.deepEqual(await sessions(readOnly.backwardFetch("a", "b")), [["b", 0, 210], ["a", 0, 111]]);
      }));

    it("drops what is put too late", () =>
      withStore(strings(), async ({ store, commit }) => {
        store.put(session("a", 200, 200), "1");
        store.put(session("a", 0, 100), "1");
        store.put(session("a", 0, 101), "1");
        store.remove(session("a", 0, 99));
        await commit();
        assert.deepEqual(await sessions(store.fetch("a")), [["a", 0, 101], ["a", 200, 200]]);
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
        assert.deepEqual(await sessions(store.fetch("a")), [["a", 0, 10], ["a", 0, 11]]);
      }));

    it("lets go of whole segments, again and again", () =>
      withStore(strings(), async ({ store, commit }) => {
        for (let end = 0; end < 2_000; end += 25) {
          store.put(session("a", 0, end), String(end));
          if (end % 75 === 0) await commit();
          const live = [end - 75, end - 50, end - 25, end].filter((each) => each >= 0);
          assert.deepEqual((await sessions(store.fetch("a"))).map(([, , each]) => each), live);
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

import assert from "node:assert/strict";
import { bytesSerde, int32Serde, type Serde, stringSerde } from "@eos/core";
import type { KeyValue } from "../key-value/key-value-store.ts";
import type {
  ReadOnlyWindowStore,
  WindowedIterator,
  WindowStore,
  WindowStoreIterator,
  WindowStoreOptions,
} from "../window/window-store.ts";
import { all, type ContractRunner, type StoreUnderTest, withStore } from "./contract.ts";

type Opened<K, V> = Promise<StoreUnderTest<WindowStore<K, V>, ReadOnlyWindowStore<K, V>>>;

/** The options of the store that a test wants. */
export type WindowStoreUnderTest<K, V> = Omit<WindowStoreOptions<K, V>, "name" | "storage" | "changelog">;

export interface WindowContract extends ContractRunner {
  open<K, V>(options: WindowStoreUnderTest<K, V>): Opened<K, V>;
}

const SIZE_MS = 10;
const RETENTION_MS = 100;
const SEGMENT_MS = 50;

/** Three segments of them are live at the last one: 100 to 149, 150 to 199, 200. */
const STARTS = [101, 120, 149, 150, 199, 200];
/** In the order of their bytes. A key that is another's beginning comes before it. */
const KEYS = ["", "\0", "\0\0", "a", "a\0", "aa", "b", "é"];

async function starts<V>(iterator: WindowStoreIterator<V>): Promise<number[]> {
  return (await all(iterator)).map(({ key }) => key);
}

async function windows<K, V>(iterator: WindowedIterator<K, V>): Promise<[K, number][]> {
  return (await all(iterator)).map(({ key }) => [key.key, key.window.startMs]);
}

/** By segment, then by the bytes of the key with the start behind it. */
function ordered(keys: readonly string[], from: number, to: number): [string, number][] {
  const found = keys.flatMap((key) => STARTS.map((start): [string, number] => [key, start]));
  return found
    .filter(([, start]) => start >= from && start <= to)
    .toSorted(
      (a, b) => Math.floor(a[1] / SEGMENT_MS) - Math.floor(b[1] / SEGMENT_MS) || bytesOf(a).compare(bytesOf(b)),
    );
}

function bytesOf([key, start]: [string, number]): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(BigInt(start));
  return Buffer.concat([Buffer.from(key), time]);
}

/**
 * What every window store keeps to, as tests: `testWindowStore({ describe, it, open })`. They use `node:assert`, so any
 * runner will do.
 */
export function testWindowStore({ describe, it, open }: WindowContract): void {
  const shape = { windowSizeMs: SIZE_MS, retentionMs: RETENTION_MS, segmentIntervalMs: SEGMENT_MS };
  const strings = (options: { readonly retainDuplicates?: boolean } = {}): Opened<string, string> =>
    open({ key: stringSerde, value: stringSerde, ...shape, ...options });

  /** The windows lie in the committed state, in the transaction above it, or in both. */
  async function fill({ store, commit }: Awaited<Opened<string, string>>): Promise<void> {
    const wanted = STARTS.flatMap((start) => KEYS.map((key) => [key, start] as const));
    for (const [i, [key, start]] of wanted.entries()) if (i % 3 !== 0) store.put(key, "old", start);
    store.put("a", "x", 151);
    await commit();
    for (const [i, [key, start]] of wanted.entries()) if (i % 3 !== 1) store.put(key, "new", start);
    store.put("a", null, 151);
  }

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
        assert.deepEqual(await all(store.all()), [{ key: { key: "a", window: { startMs: 10, endMs: 20 } }, value: "1" }]);
        assert.deepEqual(await all(store.fetch("a", 0, 100)), [{ key: 10, value: "1" }]);
      }));

    it("keep their bytes to themselves", () =>
      withStore(open({ key: bytesSerde, value: bytesSerde, ...shape }), async ({ store, commit }) => {
        const value = Buffer.from("value");
        const key = Buffer.from("k");
        store.put(key, value, 10);
        value.fill(0);
        for (const _turn of ["before the commit", "after it"]) {
          store.fetch(key, 10)?.fill(0);
          for (const each of await all(store.all())) each.value.fill(0) && each.key.key.fill(0);
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
          opened.store?.fetch("another, and longer, key", 70);
          return stringSerde.serialize(topic, value);
        },
      };
      await withStore(open({ key: stringSerde, value: nosy, ...shape }), async ({ store }) => {
        opened.store = store;
        store.put("a", "1", 10);
        assert.deepEqual(await windows(store.all()), [["a", 10]]);
      });
    });
  });

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
            for (const [from, to] of [[-Infinity, Infinity], [120, 199], [149, 150]] as const) {
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
        const opened = [{ key: 120, value: "1" }, { key: 170, value: "1" }];
        assert.deepEqual(await all(before[0]), opened);
        assert.deepEqual(await all(before[1]), opened.toReversed());
        assert.deepEqual(await all(store.fetch("a", 100, 200)), [{ key: 120, value: "2" }, { key: 171, value: "2" }]);
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
      withStore(open({ key: int32Serde, value: int32Serde, ...shape }), async ({ store }) => {
        for (const each of [1, -1, 256, 0, -2]) store.put(each, each, 10);
        assert.deepEqual((await windows(store.all())).map(([key]) => key), [0, 1, 256, -2, -1]);
        assert.deepEqual((await windows(store.fetch(1, -2, 0, 10))).map(([key]) => key), [1, 256, -2]);
      }));
  });

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
        assert.deepEqual(await windows(store.all()), [["a", 111], ["a", 209], ["b", 210]]);
        assert.deepEqual(await windows(store.fetchAll(0, 110)), []);
        assert.equal(readOnly.fetch("a", 110), "1");
        await commit();
        assert.equal(readOnly.fetch("a", 110), null);
        assert.deepEqual(await windows(readOnly.backwardFetch("a", "b", 0, 300)), [["b", 210], ["a", 209], ["a", 111]]);
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
        assert.deepEqual(await all(store.fetch("a", 0, 20)), [{ key: 10, value: "1" }, { key: 10, value: "4" }]);
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
        assert.deepEqual(await windows(store.all()), [["a", 10], ["b", 10]]);
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

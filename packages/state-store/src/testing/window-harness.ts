import { stringSerde } from "@eos/core";
import type {
  ReadOnlyWindowStore,
  WindowedIterator,
  WindowStore,
  WindowStoreIterator,
  WindowStoreOptions,
} from "../window/window-store.ts";
import { all, type ContractRunner, type StoreUnderTest } from "./contract.ts";

export type OpenedWindowStore<K, V> = Promise<StoreUnderTest<WindowStore<K, V>, ReadOnlyWindowStore<K, V>>>;

/** The options of the store that a test wants. */
export type WindowStoreUnderTest<K, V> = Omit<WindowStoreOptions<K, V>, "name" | "storage" | "changelog">;

export interface WindowContract extends ContractRunner {
  open<K, V>(options: WindowStoreUnderTest<K, V>): OpenedWindowStore<K, V>;
}

const SEGMENT_MS = 50;

export const SHAPE = { windowSizeMs: 10, retentionMs: 100, segmentIntervalMs: SEGMENT_MS };
/** Three segments of them are live at the last one: 100 to 149, 150 to 199, 200. */
export const STARTS = [101, 120, 149, 150, 199, 200];
/** In the order of their bytes. A key that is another's beginning comes before it. */
export const KEYS = ["", "\0", "\0\0", "a", "a\0", "aa", "b", "é"];

export function openStrings(
  open: WindowContract["open"],
  options?: { readonly retainDuplicates: boolean },
): OpenedWindowStore<string, string> {
  return open({ key: stringSerde, value: stringSerde, ...SHAPE, ...options });
}

/** Each key in each window: in the committed state, in the transaction above it, or in both. */
export async function fill({ store, commit }: Awaited<OpenedWindowStore<string, string>>): Promise<void> {
  const wanted = STARTS.flatMap((start) => KEYS.map((key) => [key, start] as const));
  for (const [i, [key, start]] of wanted.entries()) if (i % 3 !== 0) store.put(key, "old", start);
  store.put("a", "x", 151);
  await commit();
  for (const [i, [key, start]] of wanted.entries()) if (i % 3 !== 1) store.put(key, "new", start);
  store.put("a", null, 151);
}

export async function starts<V>(iterator: WindowStoreIterator<V>): Promise<number[]> {
  return (await all(iterator)).map(({ key }) => key);
}

export async function windows<K, V>(iterator: WindowedIterator<K, V>): Promise<[K, number][]> {
  return (await all(iterator)).map(({ key }) => [key.key, key.window.startMs]);
}

/** By segment, then by the bytes of the key with the start behind it. */
export function ordered(keys: readonly string[], from: number, to: number): [string, number][] {
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

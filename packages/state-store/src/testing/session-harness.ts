import { stringSerde } from "@eos/core";
import type { ReadOnlySessionStore, SessionStore, SessionStoreOptions } from "../session/session-store.ts";
import type { WindowedIterator } from "../window/window-store.ts";
import type { Windowed } from "../window/windowed.ts";
import { all, type ContractRunner, type StoreUnderTest } from "./contract.ts";

export type OpenedSessionStore<K, V> = Promise<StoreUnderTest<SessionStore<K, V>, ReadOnlySessionStore<K, V>>>;

/** The options of the store that a test wants. */
export type SessionStoreUnderTest<K, V> = Omit<SessionStoreOptions<K, V>, "name" | "storage" | "changelog">;

export interface SessionContract extends ContractRunner {
  open<K, V>(options: SessionStoreUnderTest<K, V>): OpenedSessionStore<K, V>;
}

type Session = readonly [key: string, startMs: number, endMs: number];

const SEGMENT_MS = 50;

export const SHAPE = { retentionMs: 100, segmentIntervalMs: SEGMENT_MS };
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
/** In the order of their bytes. A key that is another's beginning comes before it. */
export const KEYS = ["", "\0", "\0\0", "a", "a\0", "aa", "b", "é"];
const SESSIONS = KEYS.flatMap((key) => SPANS.map(([start, end]): Session => [key, start, end]));

export function openStrings(open: SessionContract["open"]): OpenedSessionStore<string, string> {
  return open({ key: stringSerde, value: stringSerde, ...SHAPE });
}

/** All sessions: in the committed state, in the transaction above it, or in both. */
export async function fill({ store, commit }: Awaited<OpenedSessionStore<string, string>>): Promise<void> {
  for (const [i, each] of SESSIONS.entries()) if (i % 3 !== 0) store.put(session(...each), "old");
  store.put(session("a", 160, 170), "x");
  await commit();
  for (const [i, each] of SESSIONS.entries()) if (i % 3 !== 1) store.put(session(...each), "new");
  store.remove(session("a", 160, 170));
}

export function session<K>(key: K, startMs: number, endMs: number): Windowed<K> {
  return { key, window: { startMs, endMs } };
}

export async function sessions<K, V>(iterator: WindowedIterator<K, V>): Promise<[K, number, number][]> {
  return (await all(iterator)).map(({ key: { key, window } }) => [key, window.startMs, window.endMs]);
}

/** By segment, then by the bytes of the key with the end and the start behind it. */
export function ordered(wanted: (session: Session) => boolean): Session[] {
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

import { checkOptions, type OptionTable, required } from "@eos/core";
import { PlainValue, TimestampedValue, type ValueAndTimestamp } from "../key-value/value-form.ts";
import { SEGMENT_OPTION_RULES, type SegmentOptions, segmentOptions } from "../segments/segment-options.ts";
import { createStoreBuilder, type StoreBuilder } from "../store-builder.ts";
import { STORE_OPTION_RULES, type StoreOptions } from "../store-options.ts";
import type { WindowedIterator } from "../window/window-store.ts";
import type { Windowed } from "../window/windowed.ts";
import { sessionKind } from "./session-kind.ts";

/**
 * The reads of a {@link SessionStore}, after Kafka Streams' ReadOnlySessionStore. Times are ms since the epoch; bounds are
 * inclusive and may be −Infinity and Infinity.
 *
 * What has expired (`retentionMs`) is never found. Sessions come segment by segment, and in a segment in the order of the
 * bytes of key, end and start: by key, end and start, but for keys of which one is the beginning of another. The backward
 * forms give the same, last first.
 *
 * A wrong argument is a `TypeError`: a key that is `undefined`, or `null` where it is no open bound; a time that is no
 * whole number; keys that are the wrong way round (Kafka Streams warns, and finds nothing).
 */
export interface ReadOnlySessionStore<K, V> {
  /** The sessions of a key that end at `earliestSessionEndMs` or later and start at `latestSessionStartMs` or earlier. */
  findSessions(key: K, earliestSessionEndMs: number, latestSessionStartMs: number): WindowedIterator<K, V>;
  /** The same of all keys from `keyFrom` to `keyTo`; `null`: from the first key, to the last. */
  findSessions(
    keyFrom: K | null,
    keyTo: K | null,
    earliestSessionEndMs: number,
    latestSessionStartMs: number,
  ): WindowedIterator<K, V>;
  backwardFindSessions(key: K, earliestSessionEndMs: number, latestSessionStartMs: number): WindowedIterator<K, V>;
  backwardFindSessions(
    keyFrom: K | null,
    keyTo: K | null,
    earliestSessionEndMs: number,
    latestSessionStartMs: number,
  ): WindowedIterator<K, V>;
  /** The value of one session; `null` when there is none with this start and this end. */
  fetchSession(key: K, sessionStartMs: number, sessionEndMs: number): V | null;
  /** All sessions of a key. */
  fetch(key: K): WindowedIterator<K, V>;
  /** All sessions of keys from `keyFrom` to `keyTo`; `null`: from the first key, to the last. */
  fetch(keyFrom: K | null, keyTo: K | null): WindowedIterator<K, V>;
  backwardFetch(key: K): WindowedIterator<K, V>;
  backwardFetch(keyFrom: K | null, keyTo: K | null): WindowedIterator<K, V>;
}

/**
 * A value for each key and session, after Kafka Streams' interface of this name. Whoever merges sessions removes those
 * that go into a longer one: the store knows nothing of gaps.
 *
 * Writes belong to the transaction of the records being processed: reads of the task see them at once, everybody else
 * when it has been committed, and an abort drops them.
 *
 * Stream time is the latest session end put or removed; it falls back with an abort. A session that ends `retentionMs` or
 * more before it has expired.
 */
export interface SessionStore<K, V> extends ReadOnlySessionStore<K, V> {
  /**
   * Puts the value of a session, with the timestamp of the record being processed. For an expired session nothing is
   * stored or logged, and the metric `expiredTotal` counts it.
   *
   * @param session - its window's start is not before the epoch, nor after its end
   * @param aggregate - `null` removes it; `undefined` is a `TypeError`
   * @throws TypeError, SerdeError; RecordTooLargeError when the changelog cannot take it. Nothing was written then.
   */
  put(session: Windowed<K>, aggregate: V | null): void;
  /** As in Kafka Streams a tombstone is logged whether there is such a session or not. */
  remove(session: Windowed<K>): void;
}

/** A {@link SessionStore} that shows the timestamp of each value, and is told it. Its changelog has it as the record's. */
export type TimestampedSessionStore<K, V> = SessionStore<K, ValueAndTimestamp<V>>;

/** The reads of a {@link TimestampedSessionStore}. */
export type ReadOnlyTimestampedSessionStore<K, V> = ReadOnlySessionStore<K, ValueAndTimestamp<V>>;

/** Options of {@link sessionStore} and {@link timestampedSessionStore}. */
export interface SessionStoreOptions<K, V> extends StoreOptions<K, V> {
  /**
   * How long a session can be read and written after stream time has passed its end: at least the inactivity gap and the
   * grace period.
   */
  readonly retentionMs: number;
  /**
   * Sessions are removed by segments of this length, each at once. At least a thousandth of `retentionMs`, since reads
   * look into every segment. A change has the store restored: its files are of the other segments.
   * @defaultValue half of `retentionMs`, at least a minute
   */
  readonly segmentIntervalMs?: number;
}

const OPTION_RULES = {
  ...STORE_OPTION_RULES,
  ...SEGMENT_OPTION_RULES,
  retentionMs: required(SEGMENT_OPTION_RULES.retentionMs),
} as const satisfies OptionTable;

/**
 * A store of sessions: give it to a processor in `stores`, and to `context.getStateStore`.
 *
 * ```ts
 * const visits = sessionStore({ name: "visits", key: stringSerde, value: int64Serde, retentionMs: 3_600_000 });
 * ```
 *
 * @throws TypeError on an unknown, wrong or missing option
 */
export function sessionStore<K, V>(
  options: SessionStoreOptions<K, V>,
): StoreBuilder<SessionStore<K, V>, ReadOnlySessionStore<K, V>, Windowed<K>, V> {
  const segments = sessionSegments("sessionStore", options);
  return createStoreBuilder(options, sessionKind(options.key, new PlainValue(options.value), segments));
}

/**
 * As {@link sessionStore}, with `{ value, timestamp }` as the value.
 *
 * @throws TypeError on an unknown, wrong or missing option
 */
export function timestampedSessionStore<K, V>(
  options: SessionStoreOptions<K, V>,
): StoreBuilder<
  TimestampedSessionStore<K, V>,
  ReadOnlyTimestampedSessionStore<K, V>,
  Windowed<K>,
  ValueAndTimestamp<V>
> {
  const segments = sessionSegments("timestampedSessionStore", options);
  return createStoreBuilder(options, sessionKind(options.key, new TimestampedValue(options.value), segments));
}

function sessionSegments<K, V>(owner: string, options: SessionStoreOptions<K, V>): SegmentOptions {
  checkOptions(owner, options, OPTION_RULES);
  return segmentOptions(owner, options.retentionMs, options.segmentIntervalMs);
}

import { boolean, checkOptions, nonNegativeInteger, type OptionTable, required } from "@eos/core";
import type { StoreIterator } from "../iterators/store-iterator.ts";
import type { KeyValue } from "../key-value/key-value-store.ts";
import { PlainValue, TimestampedValue, type ValueAndTimestamp } from "../key-value/value-form.ts";
import { SEGMENT_OPTION_RULES, segmentOptions } from "../segments/segment-options.ts";
import { createStoreBuilder, type StoreBuilder } from "../store-builder.ts";
import { STORE_OPTION_RULES, type StoreOptions } from "../store-options.ts";
import { windowKind, type WindowShape } from "./window-kind.ts";
import type { Windowed } from "./windowed.ts";

/** The windows of one key: the start of each, ms since the epoch, and its value. */
export type WindowStoreIterator<V> = StoreIterator<KeyValue<number, V>>;

/** Windows of several keys. */
export type WindowedIterator<K, V> = StoreIterator<KeyValue<Windowed<K>, V>>;

/**
 * The reads of a {@link WindowStore}, after Kafka Streams' ReadOnlyWindowStore. Windows are told by their start; bounds
 * are inclusive, ms since the epoch, and may be −Infinity and Infinity.
 *
 * What has expired (`retentionMs`) is never found. Several keys come segment by segment, and in a segment in the order of
 * the bytes of key and start: by key and then by time, but for keys of which one is the beginning of another. The backward
 * forms give the same, last first.
 *
 * A wrong argument is a `TypeError`: a key that is `undefined`, or `null` where it is no open bound; a time that is no
 * whole number; bounds that are the wrong way round (Kafka Streams warns, and finds nothing).
 */
export interface ReadOnlyWindowStore<K, V> {
  /** The value of one window; `null` when there is none. Of several (`retainDuplicates`) the last one put. */
  fetch(key: K, windowStartMs: number): V | null;
  /** The windows of a key that start in this time, the earliest first. */
  fetch(key: K, fromMs: number, toMs: number): WindowStoreIterator<V>;
  /** The windows of keys from `keyFrom` to `keyTo` that start in this time; `null`: from the first key, to the last. */
  fetch(keyFrom: K | null, keyTo: K | null, fromMs: number, toMs: number): WindowedIterator<K, V>;
  backwardFetch(key: K, fromMs: number, toMs: number): WindowStoreIterator<V>;
  backwardFetch(keyFrom: K | null, keyTo: K | null, fromMs: number, toMs: number): WindowedIterator<K, V>;
  /** All windows that start in this time. */
  fetchAll(fromMs: number, toMs: number): WindowedIterator<K, V>;
  backwardFetchAll(fromMs: number, toMs: number): WindowedIterator<K, V>;
  all(): WindowedIterator<K, V>;
  backwardAll(): WindowedIterator<K, V>;
}

/**
 * A value for each key and window, after Kafka Streams' interface of this name. Writes belong to the transaction of the
 * records being processed: reads of the task see them at once, everybody else when it has been committed, and an abort
 * drops them.
 *
 * Stream time is the latest window start put; it falls back with an abort. A window that starts `retentionMs` or more
 * before it has expired.
 */
export interface WindowStore<K, V> extends ReadOnlyWindowStore<K, V> {
  /**
   * Puts the value of a window, with the timestamp of the record being processed. For an expired window nothing is
   * stored or logged, and the metric `expiredTotal` counts it.
   *
   * @param value - `null` deletes, but does nothing in a store that retains duplicates; `undefined` is a `TypeError`
   * @param windowStartMs - not before the epoch
   * @throws TypeError, SerdeError; RecordTooLargeError when the changelog cannot take it. Nothing was written then.
   */
  put(key: K, value: V | null, windowStartMs: number): void;
}

/** A {@link WindowStore} that shows the timestamp of each value, and is told it. Its changelog has it as the record's. */
export type TimestampedWindowStore<K, V> = WindowStore<K, ValueAndTimestamp<V>>;

/** The reads of a {@link TimestampedWindowStore}. */
export type ReadOnlyTimestampedWindowStore<K, V> = ReadOnlyWindowStore<K, ValueAndTimestamp<V>>;

/** Options of {@link windowStore} and {@link timestampedWindowStore}. */
export interface WindowStoreOptions<K, V> extends StoreOptions<K, V> {
  /** From the start of a window, inclusive, to its end, exclusive. It is not stored: reads tell the end by it. */
  readonly windowSizeMs: number;
  /**
   * How long a window can be read and written after stream time has passed its start; at least `windowSizeMs`.
   * @defaultValue 7 days, or `windowSizeMs` when that is more
   */
  readonly retentionMs?: number;
  /**
   * Windows are removed by segments of this length, each at once. At least a thousandth of `retentionMs`, since reads
   * look into every segment. A change has the store restored: its files are of the other segments.
   * @defaultValue half of `retentionMs`, at least a minute
   */
  readonly segmentIntervalMs?: number;
  /**
   * Keeps all values put for one key and window, in the order they were put in, as joins of streams need it.
   * @defaultValue false
   */
  readonly retainDuplicates?: boolean;
}

const OPTION_RULES = {
  ...STORE_OPTION_RULES,
  ...SEGMENT_OPTION_RULES,
  windowSizeMs: required(nonNegativeInteger),
  retainDuplicates: boolean,
} as const satisfies OptionTable;

const WEEK_MS = 7 * 86_400_000;

/**
 * A store of windows: give it to a processor in `stores`, and to `context.getStateStore`.
 *
 * ```ts
 * const hourly = windowStore({ name: "hourly", key: stringSerde, value: int64Serde, windowSizeMs: 3_600_000 });
 * ```
 *
 * @throws TypeError on an unknown, wrong or missing option
 */
export function windowStore<K, V>(
  options: WindowStoreOptions<K, V>,
): StoreBuilder<WindowStore<K, V>, ReadOnlyWindowStore<K, V>, Windowed<K>, V> {
  const shape = windowShape("windowStore", options);
  return createStoreBuilder(options, windowKind(options.key, new PlainValue(options.value), shape));
}

/**
 * As {@link windowStore}, with `{ value, timestamp }` as the value.
 *
 * @throws TypeError on an unknown, wrong or missing option
 */
export function timestampedWindowStore<K, V>(
  options: WindowStoreOptions<K, V>,
): StoreBuilder<TimestampedWindowStore<K, V>, ReadOnlyTimestampedWindowStore<K, V>, Windowed<K>, ValueAndTimestamp<V>> {
  const shape = windowShape("timestampedWindowStore", options);
  return createStoreBuilder(options, windowKind(options.key, new TimestampedValue(options.value), shape));
}

function windowShape<K, V>(owner: string, options: WindowStoreOptions<K, V>): WindowShape {
  checkOptions(owner, options, OPTION_RULES);
  const { windowSizeMs, retentionMs = Math.max(WEEK_MS, windowSizeMs), retainDuplicates = false } = options;
  if (retentionMs < windowSizeMs) {
    throw new TypeError(
      `${owner}: option "retentionMs" must be at least windowSizeMs (${windowSizeMs}), got ${retentionMs}`,
    );
  }
  return { ...segmentOptions(owner, retentionMs, options.segmentIntervalMs), windowSizeMs, retainDuplicates };
}

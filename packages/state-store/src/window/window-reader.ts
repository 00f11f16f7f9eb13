import type { Serde } from "@eos/core";
import type { ByteReader } from "../bytes/byte-store.ts";
import type { PhysicalKey } from "../bytes/physical-key.ts";
import type { StoredValue } from "../bytes/stored-value.ts";
import type { Direction, EngineEntry } from "../engine/store-engine.ts";
import type { KeyValue } from "../key-value/key-value-store.ts";
import type { ValueForm } from "../key-value/value-form.ts";
import { segmentIdOf } from "../keys/segments.ts";
import { readWindowStart, WINDOW_SUFFIX_BYTES, WindowRange, writeWindowSuffix } from "../keys/window-key.ts";
import { SegmentedReader } from "../segments/segmented-reader.ts";
import { checkTimeBound, checkTimestamp } from "../segments/timestamps.ts";
import type { StoreContext } from "../store-kind.ts";
import type { WindowShape } from "./window-kind.ts";
import type { ReadOnlyWindowStore, WindowedIterator, WindowStoreIterator } from "./window-store.ts";
import type { Window, Windowed } from "./windowed.ts";

/** What values have as their number in a store without duplicates. */
const ONLY = 0;
/** The first number of a duplicate, as in Kafka Streams. */
const FIRST_DUPLICATE = 1;

export class WindowReader<K, V> extends SegmentedReader<K, V> implements ReadOnlyWindowStore<K, V> {
  protected readonly shape: WindowShape;
  readonly #readStarted = (entry: EngineEntry): KeyValue<number, V> => ({
    key: readWindowStart(entry.key, entry.key.length),
    value: this.form.read(this.context.topic, entry.value),
  });
  readonly #readWindowed = (entry: EngineEntry): KeyValue<Windowed<K>, V> => ({
    key: { key: this.readKey(entry, WINDOW_SUFFIX_BYTES), window: readWindow(entry.key, this.shape.windowSizeMs) },
    value: this.form.read(this.context.topic, entry.value),
  });

  constructor(bytes: ByteReader, context: StoreContext, keySerde: Serde<K>, form: ValueForm<V>, shape: WindowShape) {
    super(bytes, context, keySerde, form, shape);
    this.shape = shape;
  }

  fetch(key: K, windowStartMs: number): V | null;
  fetch(key: K, fromMs: number, toMs: number): WindowStoreIterator<V>;
  fetch(keyFrom: K | null, keyTo: K | null, fromMs: number, toMs: number): WindowedIterator<K, V>;
  fetch(
    key: K | null,
    second: K | number | null,
    third?: number,
    fourth?: number,
  ): V | null | WindowStoreIterator<V> | WindowedIterator<K, V> {
    if (third === undefined) return this.#fetchOne(key as K, second as number);
    if (fourth === undefined) return this.#fetchKey(key as K, second as number, third, "forward");
    return this.#fetchKeys(key, second as K | null, third, fourth, "forward");
  }

  backwardFetch(key: K, fromMs: number, toMs: number): WindowStoreIterator<V>;
  backwardFetch(keyFrom: K | null, keyTo: K | null, fromMs: number, toMs: number): WindowedIterator<K, V>;
  backwardFetch(
    key: K | null,
    second: K | number | null,
    third: number,
    fourth?: number,
  ): WindowStoreIterator<V> | WindowedIterator<K, V> {
    if (fourth === undefined) return this.#fetchKey(key as K, second as number, third, "reverse");
    return this.#fetchKeys(key, second as K | null, third, fourth, "reverse");
  }

  fetchAll(fromMs: number, toMs: number): WindowedIterator<K, V> {
    return this.#fetchKeys(null, null, fromMs, toMs, "forward");
  }

  backwardFetchAll(fromMs: number, toMs: number): WindowedIterator<K, V> {
    return this.#fetchKeys(null, null, fromMs, toMs, "reverse");
  }

  all(): WindowedIterator<K, V> {
    return this.#fetchKeys(null, null, -Infinity, Infinity, "forward");
  }

  backwardAll(): WindowedIterator<K, V> {
    return this.#fetchKeys(null, null, -Infinity, Infinity, "reverse");
  }

  /** Completes the key of a value that is not expired. @param keyEnd - where the user's key ends */
  protected complete(key: PhysicalKey, keyEnd: number, windowStart: number, seqnum: number): void {
    key.length = keyEnd;
    key.reserve(WINDOW_SUFFIX_BYTES);
    key.length = writeWindowSuffix(key.buffer, keyEnd, windowStart, seqnum);
    key.setSegment(segmentIdOf(windowStart, this.shape.segmentIntervalMs));
    key.seal();
  }

  /**
   * How many duplicates a window has. Their numbers follow one another, and a duplicate is never deleted alone: so the
   * first number that is free is found by doubling and halving. Kafka Streams numbers the puts of a process, and after a
   * restart overwrites those of the same window with the same number.
   */
  protected countDuplicates(key: PhysicalKey, keyEnd: number, windowStart: number): number {
    let taken = FIRST_DUPLICATE - 1;
    let free = FIRST_DUPLICATE;
    while (this.#getNumbered(key, keyEnd, windowStart, free) !== undefined) {
      taken = free;
      free *= 2;
    }
    while (free - taken > 1) {
      const middle = Math.floor((taken + free) / 2);
      if (this.#getNumbered(key, keyEnd, windowStart, middle) === undefined) free = middle;
      else taken = middle;
    }
    return taken;
  }

  #getNumbered(key: PhysicalKey, keyEnd: number, windowStart: number, seqnum: number): StoredValue | undefined {
    this.complete(key, keyEnd, windowStart, seqnum);
    return this.getStored(key);
  }

  #fetchOne(userKey: K, windowStart: number): V | null {
    checkTimestamp("windowStartMs", windowStart);
    const key = this.beginKey(userKey);
    if (windowStart < this.earliestLive) return null;
    const keyEnd = key.length;
    const seqnum = this.shape.retainDuplicates ? this.countDuplicates(key, keyEnd, windowStart) : ONLY;
    const stored = this.#getNumbered(key, keyEnd, windowStart, seqnum);
    return stored === undefined ? null : this.form.read(this.context.topic, stored);
  }

  #fetchKey(userKey: K, from: number, to: number, direction: Direction): WindowStoreIterator<V> {
    const key = this.keyBytes(userKey);
    return this.iterate(this.#range(key, key, from, to), direction, this.#readStarted);
  }

  #fetchKeys(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
    direction: Direction,
  ): WindowedIterator<K, V> {
    const [first, last] = this.keyRange(keyFrom, keyTo);
    return this.iterate(this.#range(first, last, from, to), direction, this.#readWindowed);
  }

  #range(keyFrom: Buffer | null, keyTo: Buffer | null, from: number, to: number): WindowRange {
    checkTimeBound("fromMs", from);
    checkTimeBound("toMs", to);
    if (from > to) throw new TypeError(`"fromMs" (${from}) must not be after "toMs" (${to})`);
    return new WindowRange(keyFrom, keyTo, Math.max(from, this.earliestLive), to);
  }
}

/** Of a window's key. */
export function readWindow(key: Buffer, windowSizeMs: number): Window {
  const startMs = readWindowStart(key, key.length);
  return { startMs, endMs: Math.min(startMs + windowSizeMs, Number.MAX_SAFE_INTEGER) };
}

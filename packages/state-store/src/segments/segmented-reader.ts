import type { Serde } from "@eos/core";
import type { ByteReader } from "../bytes/byte-store.ts";
import { PhysicalKey, SEGMENTED_PREFIX_BYTES } from "../bytes/physical-key.ts";
import type { StoredValue } from "../bytes/stored-value.ts";
import type { Direction, EngineEntry } from "../engine/store-engine.ts";
import type { StoreIterator } from "../iterators/store-iterator.ts";
import { type ReadRange, rangeReader } from "../key-value/range-reader.ts";
import type { ValueForm } from "../key-value/value-form.ts";
import type { SegmentedRange } from "../keys/segmented-range.ts";
import type { StoreContext } from "../store-kind.ts";
import { earliestLive } from "./retention.ts";
import { iterateSegments } from "./segment-cursor.ts";
import type { SegmentOptions } from "./segment-options.ts";

/** What reading windows and reading sessions have in common (Kafka Streams: AbstractRocksDBSegmentedBytesStore). */
export abstract class SegmentedReader<K, V> {
  protected readonly context: StoreContext;
  protected readonly form: ValueForm<V>;
  protected readonly segments: SegmentOptions;
  readonly #bytes: ByteReader;
  readonly #keySerde: Serde<K>;
  readonly #readKey: ReadRange<K>;
  readonly #key = new PhysicalKey(SEGMENTED_PREFIX_BYTES);

  constructor(
    bytes: ByteReader,
    context: StoreContext,
    keySerde: Serde<K>,
    form: ValueForm<V>,
    segments: SegmentOptions,
  ) {
    this.context = context;
    this.form = form;
    this.segments = segments;
    this.#bytes = bytes;
    this.#keySerde = keySerde;
    this.#readKey = rangeReader(keySerde);
  }

  /** What lies before it has expired. */
  protected get earliestLive(): number {
    return earliestLive(this.#bytes.streamTime, this.segments.retentionMs);
  }

  /** The physical key with the user's key in it, which is to be completed; the next operation overwrites it. */
  protected beginKey(key: K): PhysicalKey {
    this.#key.begin(this.#serialize(key));
    return this.#key;
  }

  protected getStored(key: PhysicalKey): StoredValue | undefined {
    const latency = this.context.metrics.get;
    const begun = latency.begin();
    const stored = this.#bytes.get(key);
    latency.end(begun);
    return stored;
  }

  /** A copy, for an iterator. */
  protected keyBytes(key: K): Buffer {
    const bytes = this.#serialize(key);
    return typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes);
  }

  /** Both bounds of a range of keys. @throws TypeError when they are the wrong way round */
  protected keyRange(keyFrom: K | null, keyTo: K | null): readonly [Buffer | null, Buffer | null] {
    const from = keyFrom === null ? null : this.keyBytes(keyFrom);
    const to = keyTo === null ? null : this.keyBytes(keyTo);
    if (from !== null && to !== null && from.compare(to) > 0) {
      throw new TypeError(
        "the range's `keyFrom` comes after its `keyTo` in the order of their serialised bytes, in which negative numbers come last",
      );
    }
    return [from, to];
  }

  protected readKey({ key }: EngineEntry, suffixBytes: number): K {
    return this.#readKey(this.context.topic, key, SEGMENTED_PREFIX_BYTES, key.length - suffixBytes);
  }

  protected iterate<T>(range: SegmentedRange, direction: Direction, read: (entry: EngineEntry) => T): StoreIterator<T> {
    const cursor = iterateSegments(this.#bytes, range, this.segments.segmentIntervalMs, direction);
    return this.context.iterators.open(cursor, (entry) =>
      range.matches(entry.key, SEGMENTED_PREFIX_BYTES, entry.key.length) ? read(entry) : undefined,
    );
  }

  #serialize(key: K): string | Uint8Array {
    if (key === null || key === undefined) throw new TypeError(`a key must not be ${String(key)}`);
    return this.#keySerde.serialize(this.context.topic, key);
  }
}

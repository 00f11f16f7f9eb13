import type { Serde } from "@eos/core";
import type { ByteReader } from "../bytes/byte-store.ts";
import { PhysicalKey, PLAIN_PREFIX_BYTES } from "../bytes/physical-key.ts";
import type { Direction, EngineEntry, KeyRange } from "../engine/store-engine.ts";
import type { StoreIterator } from "../iterators/store-iterator.ts";
import type { StoreContext } from "../store-kind.ts";
import { inclusiveRange, prefixRange } from "./key-ranges.ts";
import type { KeyValue, ReadOnlyKeyValueStore } from "./key-value-store.ts";
import { type ReadRange, rangeReader } from "./range-reader.ts";
import type { ValueForm } from "./value-form.ts";

const EVERYTHING: KeyRange = {};

export class KeyValueReader<K, V> implements ReadOnlyKeyValueStore<K, V> {
  protected readonly context: StoreContext;
  protected readonly form: ValueForm<V>;
  readonly #bytes: ByteReader;
  readonly #keySerde: Serde<K>;
  readonly #key = new PhysicalKey(PLAIN_PREFIX_BYTES);
  readonly #readKey: ReadRange<K>;
  readonly #readEntry = ({ key, value }: EngineEntry): KeyValue<K, V> => ({
    key: this.#readKey(this.context.topic, key, PLAIN_PREFIX_BYTES, key.length),
    value: this.form.read(this.context.topic, value),
  });

  constructor(bytes: ByteReader, context: StoreContext, keySerde: Serde<K>, form: ValueForm<V>) {
    this.context = context;
    this.form = form;
    this.#bytes = bytes;
    this.#keySerde = keySerde;
    this.#readKey = rangeReader(keySerde);
  }

  get(key: K): V | null {
    const latency = this.context.metrics.get;
    const begun = latency.begin();
    const stored = this.#bytes.get(this.locate(key));
    const value = stored === undefined ? null : this.form.read(this.context.topic, stored);
    latency.end(begun);
    return value;
  }

  range(from: K | null, to: K | null): StoreIterator<KeyValue<K, V>> {
    return this.#iterate(inclusiveRange(this.#bound(from), this.#bound(to)), "forward");
  }

  reverseRange(from: K | null, to: K | null): StoreIterator<KeyValue<K, V>> {
    return this.#iterate(inclusiveRange(this.#bound(from), this.#bound(to)), "reverse");
  }

  prefixScan<P>(prefix: P, serde = this.#keySerde as Pick<Serde<unknown>, "serialize">): StoreIterator<KeyValue<K, V>> {
    return this.#iterate(prefixRange(this.#copyOf(this.#set(serde, prefix))), "forward");
  }

  all(): StoreIterator<KeyValue<K, V>> {
    return this.#iterate(EVERYTHING, "forward");
  }

  reverseAll(): StoreIterator<KeyValue<K, V>> {
    return this.#iterate(EVERYTHING, "reverse");
  }

  approximateNumEntries(): Promise<number> {
    return this.#bytes.approximateNumEntries();
  }

  /** The physical key; the next operation overwrites it. */
  protected locate(key: K): PhysicalKey {
    return this.#set(this.#keySerde, key);
  }

  #set<T>(serde: Pick<Serde<T>, "serialize">, key: T): PhysicalKey {
    if (key === null || key === undefined) throw new TypeError(`a key must not be ${String(key)}`);
    this.#key.set(serde.serialize(this.context.topic, key));
    return this.#key;
  }

  #bound(key: K | null): Buffer | null {
    return key === null ? null : this.#copyOf(this.locate(key));
  }

  #copyOf(key: PhysicalKey): Buffer {
    return Buffer.from(key.bytes());
  }

  #iterate(range: KeyRange, direction: Direction): StoreIterator<KeyValue<K, V>> {
    return this.context.iterators.open(this.#bytes.iterate(range, direction), this.#readEntry);
  }
}

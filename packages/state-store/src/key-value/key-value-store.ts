import { checkOptions, type Serde } from "@eos/core";
import type { StoreIterator } from "../iterators/store-iterator.ts";
import { createStoreBuilder, type StoreBuilder } from "../store-builder.ts";
import { STORE_OPTION_RULES, type StoreOptions } from "../store-options.ts";
import { keyValueKind } from "./key-value-kind.ts";
import { PlainValue } from "./value-form.ts";

/** A key and its value, as ranges give them and `putAll` takes them. */
export interface KeyValue<K, V> {
  readonly key: K;
  readonly value: V;
}

/** What may be said of one put. */
export interface PutOptions {
  /**
   * The value counts as deleted from its timestamp plus this on, by the store's stream time: the highest timestamp it
   * has seen. Reads hide it then; a tombstone in the changelog follows with one of the next commits. A store that comes
   * back from its changelog knows of time what the records there say: compaction, or `caching`, may have taken the latest.
   * @defaultValue it stays
   */
  readonly ttlMs?: number;
}

/**
 * The reads of a {@link KeyValueStore}, after Kafka Streams' ReadOnlyKeyValueStore. Keys are ordered by their serialised
 * bytes: texts by code point, `int32Serde` and `int64Serde` with the negative numbers last.
 *
 * A `null` or `undefined` key is a `TypeError`. What a read throws beyond that is a `SerdeError`, or an error of the
 * store (`EOS_STORE_…`) that makes its task start anew from what is committed.
 */
export interface ReadOnlyKeyValueStore<K, V> {
  /** `null` when there is none. */
  get(key: K): V | null;
  /**
   * From the lowest to the highest key, both bounds included; `null` is the end of the store.
   * @throws TypeError when `from` comes after `to` in the order of their bytes (Kafka Streams warns, and finds nothing)
   */
  range(from: K | null, to: K | null): StoreIterator<KeyValue<K, V>>;
  /** As {@link range}, from the highest key to the lowest. `from` is the lower bound all the same. */
  reverseRange(from: K | null, to: K | null): StoreIterator<KeyValue<K, V>>;
  /**
   * The keys whose bytes begin with those of `prefix`, in order: of texts those that begin with it, of numbers none
   * but itself.
   */
  prefixScan(prefix: K): StoreIterator<KeyValue<K, V>>;
  /** @param serde - writes the prefix, as when it is the first part of a key */
  prefixScan<P>(prefix: P, serde: Pick<Serde<P>, "serialize">): StoreIterator<KeyValue<K, V>>;
  /** In the order of the keys' bytes. */
  all(): StoreIterator<KeyValue<K, V>>;
  reverseAll(): StoreIterator<KeyValue<K, V>>;
  /** Of the committed state. Exact for a store in memory, but for what has expired; an estimate by size for LevelDB. */
  approximateNumEntries(): Promise<number>;
}

/**
 * A value for each key, after Kafka Streams' interface of this name. Writes belong to the transaction of the records
 * being processed: reads of the task see them at once, everybody else when it has been committed, and an abort drops
 * them. Each has the timestamp of the record being processed.
 */
export interface KeyValueStore<K, V> extends ReadOnlyKeyValueStore<K, V> {
  /**
   * @param value - `null` deletes; `undefined` is a `TypeError`
   * @throws TypeError, SerdeError; RecordTooLargeError when the changelog cannot take it. Nothing was written then.
   */
  put(key: K, value: V | null, options?: PutOptions): void;
  /** Puts the value unless there is one. Returns that, or `null` when there was none. */
  putIfAbsent(key: K, value: V | null, options?: PutOptions): V | null;
  /** One after the other; when one of them throws, those before it have been put. */
  putAll(entries: Iterable<KeyValue<K, V | null>>): void;
  /** Returns what was deleted, or `null`. As in Kafka Streams a tombstone is logged in any case. */
  delete(key: K): V | null;
}

/**
 * A key-value store: give it to a processor in `stores`, and to `context.getStateStore`.
 *
 * ```ts
 * const counts = keyValueStore({ name: "counts", key: stringSerde, value: int64Serde });
 * ```
 *
 * @throws TypeError on an unknown, wrong or missing option
 */
export function keyValueStore<K, V>(
  options: StoreOptions<K, V>,
): StoreBuilder<KeyValueStore<K, V>, ReadOnlyKeyValueStore<K, V>, K, V> {
  checkOptions("keyValueStore", options, STORE_OPTION_RULES);
  return createStoreBuilder(options, keyValueKind(options.key, new PlainValue(options.value)));
}

import { checkOptions, nonNegativeInteger, type OptionTable, required } from "@eos/core";
import { createStoreBuilder, type StoreBuilder } from "../store-builder.ts";
import { STORE_OPTION_RULES, type StoreOptions } from "../store-options.ts";
import { versionedKind } from "./versioned-kind.ts";

/** A value of a key, and the time it was valid from and up to, ms since the epoch. */
export interface VersionedRecord<V> {
  readonly value: V;
  readonly timestamp: number;
  /** Exclusive: where the next version begins. Absent for the latest one. */
  readonly validTo?: number;
}

/**
 * What became of a put: the time up to which its version is valid, exclusive; `"latest"` when there is no later one
 * (Java: −1); `"notPut"` when it is older than the history that is kept (Java: `Long.MIN_VALUE`).
 */
export type VersionedPutResult = number | "latest" | "notPut";

/** The reads of a {@link VersionedKeyValueStore}. A `null` or `undefined` key is a `TypeError`. */
export interface ReadOnlyVersionedKeyValueStore<K, V> {
  /** The latest version; `null` when there is none, or it is a deletion. */
  get(key: K): VersionedRecord<V> | null;
  /**
   * The version that was valid at `asOf`; `null` when there was none. Beyond the history that is kept that is the
   * latest version or none.
   */
  get(key: K, asOf: number): VersionedRecord<V> | null;
}

/**
 * The values of each key over time, after Kafka Streams' interface of this name (KIP-889): a record that comes late is put
 * where it belongs, and reads can ask for any time within `historyRetentionMs` of stream time, the highest timestamp put.
 * The latest version of a key stays, however old it is. The changelog has each version as a record of its own.
 *
 * Writes belong to the transaction of the records being processed. A timestamp that is no whole number of ms of 0 or more
 * is a `TypeError`.
 */
export interface VersionedKeyValueStore<K, V> extends ReadOnlyVersionedKeyValueStore<K, V> {
  /**
   * Adds a version, or replaces the one with the same timestamp.
   *
   * @param value - `null`: from this time on there is none; `undefined` is a `TypeError`
   * @throws TypeError, SerdeError; RecordTooLargeError when the changelog cannot take it. Nothing was written then.
   */
  put(key: K, value: V | null, timestamp: number): VersionedPutResult;
  /**
   * From this time on the key has no value. Returns the version that was valid then; `null` when there was none, or
   * when `timestamp` is older than the history that is kept: then nothing is deleted.
   */
  delete(key: K, timestamp: number): VersionedRecord<V> | null;
}

/** Options of {@link versionedKeyValueStore}. As in Kafka Streams there is no `caching`: each version counts. */
export interface VersionedKeyValueStoreOptions<K, V> extends Omit<StoreOptions<K, V>, "caching"> {
  /** How far back of stream time versions can be read, and put. */
  readonly historyRetentionMs: number;
}

const { caching: _caching, ...WITHOUT_CACHING } = STORE_OPTION_RULES;

const OPTION_RULES = {
  ...WITHOUT_CACHING,
  historyRetentionMs: required(nonNegativeInteger),
} as const satisfies OptionTable;

/**
 * A store of versions: give it to a processor in `stores`, and to `context.getStateStore`.
 *
 * @throws TypeError on an unknown, wrong or missing option
 */
export function versionedKeyValueStore<K, V>(
  options: VersionedKeyValueStoreOptions<K, V>,
): StoreBuilder<VersionedKeyValueStore<K, V>, ReadOnlyVersionedKeyValueStore<K, V>, K, VersionedRecord<V>> {
  checkOptions("versionedKeyValueStore", options, OPTION_RULES);
  return createStoreBuilder(options, versionedKind(options));
}

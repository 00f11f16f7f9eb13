import type { Serde } from "@eos/core";
import type { ByteReader } from "../bytes/byte-store.ts";
import { PhysicalKey, PLAIN_PREFIX_BYTES } from "../bytes/physical-key.ts";
import { type ReadRange, rangeReader } from "../key-value/range-reader.ts";
import { latestVersion, type Version, versionAsOf } from "../keys/versioned-value.ts";
import type { StoreContext } from "../store-kind.ts";
import type { ReadOnlyVersionedKeyValueStore, VersionedRecord } from "./versioned-key-value-store.ts";

export class VersionedReader<K, V> implements ReadOnlyVersionedKeyValueStore<K, V> {
  protected readonly context: StoreContext;
  readonly #bytes: ByteReader;
  readonly #keySerde: Serde<K>;
  readonly #key = new PhysicalKey(PLAIN_PREFIX_BYTES);
  readonly #readValue: ReadRange<V>;
  readonly #historyRetentionMs: number;

  constructor(
    bytes: ByteReader,
    context: StoreContext,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    historyRetentionMs: number,
  ) {
    this.context = context;
    this.#bytes = bytes;
    this.#keySerde = keySerde;
    this.#readValue = rangeReader(valueSerde);
    this.#historyRetentionMs = historyRetentionMs;
  }

  get(key: K, asOf?: number): VersionedRecord<V> | null {
    if (asOf !== undefined) checkTimestamp("asOf", asOf);
    const latency = this.context.metrics.get;
    const begun = latency.begin();
    const record = this.#find(key, asOf);
    latency.end(begun);
    return record;
  }

  /** The physical key; the next operation overwrites it. */
  protected locate(key: K): PhysicalKey {
    if (key === null || key === undefined) throw new TypeError(`a key must not be ${String(key)}`);
    this.#key.set(this.#keySerde.serialize(this.context.topic, key));
    return this.#key;
  }

  #find(key: K, asOf: number | undefined): VersionedRecord<V> | null {
    const stored = this.#bytes.get(this.locate(key));
    if (stored === undefined) return null;
    const { buffer, valueStart, valueEnd } = stored;
    const version =
      asOf === undefined
        ? latestVersion(buffer, valueStart, valueEnd)
        : versionAsOf(buffer, valueStart, valueEnd, asOf, this.#bytes.streamTime - this.#historyRetentionMs);
    return versionedRecord(this.context.topic, version, this.#readValue);
  }
}

/** What a version says; a deletion says nothing. */
export function versionedRecord<V>(
  topic: string,
  version: Version | undefined,
  readValue: ReadRange<V>,
): VersionedRecord<V> | null {
  if (version === undefined || version.value === null) return null;
  return { ...version, value: readValue(topic, version.value, 0, version.value.length) };
}

/** @throws TypeError */
export function checkTimestamp(name: string, timestamp: unknown): void {
  if (Number.isSafeInteger(timestamp) && (timestamp as number) >= 0) return;
  throw new TypeError(`"${name}" must be a whole number of ms since the epoch, got ${String(timestamp)}`);
}

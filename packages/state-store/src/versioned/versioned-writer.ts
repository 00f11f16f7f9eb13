import type { Serde } from "@eos/core";
import type { ByteStore } from "../bytes/byte-store.ts";
import { putVersion } from "../keys/versioned-value.ts";
import type { StoreContext } from "../store-kind.ts";
import type { VersionedKeyValueStore, VersionedPutResult, VersionedRecord } from "./versioned-key-value-store.ts";
import { checkTimestamp, VersionedReader } from "./versioned-reader.ts";

const NOTHING = Buffer.alloc(0);

export class VersionedWriter<K, V> extends VersionedReader<K, V> implements VersionedKeyValueStore<K, V> {
  readonly #bytes: ByteStore;
  readonly #valueSerde: Serde<V>;
  readonly #historyRetentionMs: number;

  constructor(
    bytes: ByteStore,
    context: StoreContext,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    historyRetentionMs: number,
  ) {
    super(bytes, context, keySerde, valueSerde, historyRetentionMs);
    this.#bytes = bytes;
    this.#valueSerde = valueSerde;
    this.#historyRetentionMs = historyRetentionMs;
  }

  put(key: K, value: V | null, timestamp: number): VersionedPutResult {
    if (value === undefined) throw new TypeError("a value to put must not be undefined; null deletes");
    checkTimestamp("timestamp", timestamp);
    const latency = this.context.metrics.put;
    const begun = latency.begin();
    const result = this.#put(key, value, timestamp);
    latency.end(begun);
    return result;
  }

  delete(key: K, timestamp: number): VersionedRecord<V> | null {
    checkTimestamp("timestamp", timestamp);
    const existing = this.get(key, timestamp);
    return this.put(key, null, timestamp) === "notPut" ? null : existing;
  }

  #put(key: K, value: V | null, timestamp: number): VersionedPutResult {
    // The value first: a serde that uses this store itself would overwrite the key.
    const bytes = value === null ? null : this.#serialize(value);
    const located = this.locate(key);
    const { buffer, valueStart, valueEnd } = this.#bytes.get(located) ?? {
      buffer: NOTHING,
      valueStart: 0,
      valueEnd: 0,
    };
    const { streamTime } = this.#bytes;
    const put = putVersion(buffer, valueStart, valueEnd, bytes, timestamp, streamTime, this.#historyRetentionMs);
    if (put === undefined) return "notPut";
    this.#bytes.putLogged(located, put.versions.length === 0 ? null : put.versions, bytes, timestamp);
    this.#bytes.observe(timestamp);
    return put.validTo ?? "latest";
  }

  #serialize(value: V): Uint8Array {
    const bytes = this.#valueSerde.serialize(this.context.topic, value);
    return typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  }
}

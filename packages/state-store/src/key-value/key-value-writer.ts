import { checkOptions, type OptionTable, positiveInteger, type Serde } from "@eos/core";
import type { ByteStore } from "../bytes/byte-store.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { StoreContext } from "../store-kind.ts";
import { KeyValueReader } from "./key-value-reader.ts";
import type { KeyValue, KeyValueStore, PutOptions } from "./key-value-store.ts";
import type { ValueForm } from "./value-form.ts";

const PUT_OPTION_RULES = { ttlMs: positiveInteger } as const satisfies OptionTable;

export class KeyValueWriter<K, V> extends KeyValueReader<K, V> implements KeyValueStore<K, V> {
  readonly #bytes: ByteStore;

  constructor(bytes: ByteStore, context: StoreContext, keySerde: Serde<K>, form: ValueForm<V>) {
    super(bytes, context, keySerde, form);
    this.#bytes = bytes;
  }

  put(key: K, value: V | null, options?: PutOptions): void {
    const latency = this.context.metrics.put;
    const begun = latency.begin();
    // The value first: a serde that uses this store itself would overwrite the key.
    const bytes = value === null ? null : this.form.serialize(this.context.topic, value);
    const timestamp = this.#timestampOf(value);
    const expiresAt = options === undefined || bytes === null ? NEVER : expiryOf(timestamp, options);
    this.#bytes.put(this.locate(key), bytes, timestamp, expiresAt);
    this.#bytes.observe(timestamp);
    latency.end(begun);
  }

  putIfAbsent(key: K, value: V | null, options?: PutOptions): V | null {
    const old = this.get(key);
    if (old === null) this.put(key, value, options);
    return old;
  }

  putAll(entries: Iterable<KeyValue<K, V | null>>): void {
    for (const { key, value } of entries) this.put(key, value);
  }

  delete(key: K): V | null {
    const old = this.get(key);
    this.put(key, null);
    return old;
  }

  #timestampOf(value: V | null): number {
    const recordTimestamp = this.context.timestamp();
    return value === null ? recordTimestamp : this.form.timestampOf(value, recordTimestamp);
  }
}

/** @throws TypeError on an unknown or wrong option */
function expiryOf(timestamp: number, options: PutOptions): number {
  checkOptions("put", options, PUT_OPTION_RULES);
  if (options.ttlMs === undefined) return NEVER;
  const expiresAt = timestamp + options.ttlMs;
  if (!Number.isSafeInteger(expiresAt)) throw new TypeError(`put: "ttlMs" ends beyond all time, at ${expiresAt}`);
  // 0 is how "never" is written; before the first timestamp there is no difference between the two.
  return Math.max(expiresAt, NEVER + 1);
}

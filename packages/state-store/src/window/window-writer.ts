import type { Serde } from "@eos/core";
import type { ByteStore } from "../bytes/byte-store.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { ValueForm } from "../key-value/value-form.ts";
import { moveStreamTime } from "../segments/retention.ts";
import { checkStoredTimestamp } from "../segments/timestamps.ts";
import type { StoreContext } from "../store-kind.ts";
import type { WindowShape } from "./window-kind.ts";
import { WindowReader } from "./window-reader.ts";
import type { WindowStore } from "./window-store.ts";

export class WindowWriter<K, V> extends WindowReader<K, V> implements WindowStore<K, V> {
  readonly #bytes: ByteStore;

  constructor(bytes: ByteStore, context: StoreContext, keySerde: Serde<K>, form: ValueForm<V>, shape: WindowShape) {
    super(bytes, context, keySerde, form, shape);
    this.#bytes = bytes;
  }

  put(key: K, value: V | null, windowStartMs: number): void {
    checkStoredTimestamp("windowStartMs", windowStartMs);
    const latency = this.context.metrics.put;
    const begun = latency.begin();
    this.#put(key, value, windowStartMs);
    latency.end(begun);
  }

  #put(userKey: K, value: V | null, windowStart: number): void {
    const { retainDuplicates } = this.shape;
    if (value === null && retainDuplicates) return;
    const recordTimestamp = this.context.timestamp();
    // The value first: a serde that uses this store itself would overwrite the key.
    const bytes = value === null ? null : this.form.serialize(this.context.topic, value);
    const timestamp = value === null ? recordTimestamp : this.form.timestampOf(value, recordTimestamp);
    const key = this.beginKey(userKey);
    if (windowStart < this.earliestLive) return this.context.metrics.expired();
    const keyEnd = key.length;
    const seqnum = retainDuplicates ? this.countDuplicates(key, keyEnd, windowStart) + 1 : 0;
    this.complete(key, keyEnd, windowStart, seqnum);
    this.#bytes.put(key, bytes, timestamp, NEVER);
    moveStreamTime(this.#bytes, windowStart, this.shape);
  }
}

import type { Serde } from "@eos/core";
import type { ByteStore } from "../bytes/byte-store.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { ValueForm } from "../key-value/value-form.ts";
import { moveStreamTime } from "../segments/retention.ts";
import type { SegmentOptions } from "../segments/segment-options.ts";
import { checkStoredTimestamp } from "../segments/timestamps.ts";
import type { StoreContext } from "../store-kind.ts";
import type { Windowed } from "../window/windowed.ts";
import { SessionReader } from "./session-reader.ts";
import type { SessionStore } from "./session-store.ts";

export class SessionWriter<K, V> extends SessionReader<K, V> implements SessionStore<K, V> {
  readonly #bytes: ByteStore;

  constructor(
    bytes: ByteStore,
    context: StoreContext,
    keySerde: Serde<K>,
    form: ValueForm<V>,
    segments: SegmentOptions,
  ) {
    super(bytes, context, keySerde, form, segments);
    this.#bytes = bytes;
  }

  put(session: Windowed<K>, aggregate: V | null): void {
    checkSession(session);
    const latency = this.context.metrics.put;
    const begun = latency.begin();
    this.#put(session, aggregate);
    latency.end(begun);
  }

  remove(session: Windowed<K>): void {
    this.put(session, null);
  }

  #put({ key: userKey, window: { startMs, endMs } }: Windowed<K>, aggregate: V | null): void {
    const recordTimestamp = this.context.timestamp();
    // The value first: a serde that uses this store itself would overwrite the key.
    const bytes = aggregate === null ? null : this.form.serialize(this.context.topic, aggregate);
    const timestamp = aggregate === null ? recordTimestamp : this.form.timestampOf(aggregate, recordTimestamp);
    const key = this.beginKey(userKey);
    if (endMs < this.earliestLive) return this.context.metrics.expired();
    this.complete(key, startMs, endMs);
    this.#bytes.put(key, bytes, timestamp, NEVER);
    moveStreamTime(this.#bytes, endMs, this.segments);
  }
}

/** @throws TypeError */
function checkSession(session: unknown): void {
  const { window } = Object(session) as Partial<Windowed<unknown>>;
  if (window === undefined || window === null) {
    throw new TypeError("a session must be { key, window: { startMs, endMs } }");
  }
  checkStoredTimestamp("startMs", window.startMs);
  checkStoredTimestamp("endMs", window.endMs);
  if (window.startMs > window.endMs) {
    throw new TypeError(`a session's "startMs" (${window.startMs}) must not be after its "endMs" (${window.endMs})`);
  }
}

import { setImmediate as nextTurn } from "node:timers/promises";
import { type FetchedRecord, type RecordBatch, RecordCursor, RecordSource } from "@eos/client";
import { bytesSerde, type TopicPartition } from "@eos/core";
import { Arena } from "../bytes/arena.ts";
import type { ChangelogFormat } from "../bytes/byte-store.ts";
import { expiryKey } from "../bytes/expiry-index.ts";
import { OverlayLayer } from "../bytes/overlay-layer.ts";
import { EXPIRES_AT_HEADER } from "../bytes/overlay-store.ts";
import { PhysicalKey } from "../bytes/physical-key.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { EngineBatch, StoreEngine } from "../engine/store-engine.ts";

const NO_VALUE = Buffer.alloc(0);
/** A record without headers has the one byte of their count. */
const NO_HEADERS_BYTES = 1;

/** Writes fetched changelog batches to the engine, from bytes to bytes. */
export class ChangelogApplier {
  readonly #format: ChangelogFormat;
  readonly #source: RecordSource<Buffer, Buffer>;
  readonly #key: PhysicalKey;
  readonly #cursor = new RecordCursor();
  readonly #arena = new Arena();
  #applied = 0;

  constructor(format: ChangelogFormat, { topic, partition }: TopicPartition) {
    this.#format = format;
    this.#source = new RecordSource(topic, partition, bytesSerde, bytesSerde);
    this.#key = new PhysicalKey(format.prefixBytes);
  }

  /** Records applied. */
  get applied(): number {
    return this.#applied;
  }

  /** Resolves when the engine has the records, and `nextOffset` as its changelog position, in one batch. */
  async apply(engine: StoreEngine, batches: readonly RecordBatch[], from: number, nextOffset: number): Promise<void> {
    const batch = engine.batch();
    const before = engine.position.streamTime;
    const layer = this.#format.merge === undefined ? null : new OverlayLayer(before);
    let streamTime = before;
    for (const fetched of batches) {
      this.#cursor.open(fetched, from);
      while (this.#cursor.next()) {
        if (this.#cursor.keyStart < 0) continue;
        streamTime = layer === null ? this.#put(batch, streamTime) : this.#merge(engine, layer, streamTime);
        this.#applied++;
      }
    }
    if (layer !== null) await writeLayer(layer, batch);
    await batch.write({ changelogOffset: nextOffset, streamTime });
    const expiredBelow = this.#format.expiredBelow?.(before, streamTime) ?? null;
    if (expiredBelow !== null) await engine.clear({ lt: expiredBelow });
  }

  #put(batch: EngineBatch, streamTime: number): number {
    const { buffer, valueStart, valueEnd, timestamp } = this.#cursor;
    const key = this.#key;
    key.setRange(buffer, this.#cursor.keyStart, this.#cursor.keyEnd);
    const completed = this.#format.complete(key, streamTime);
    if (completed === "skip") return streamTime;
    const time = Math.max(streamTime, completed < 0 ? timestamp : completed);
    if (valueStart < 0) {
      batch.delete(key.bytes());
      return time;
    }
    const expiresAt = this.#expiresAt();
    this.#arena.reset();
    batch.put(this.#arena.write(key.buffer, key.length, buffer.subarray(valueStart, valueEnd), timestamp, expiresAt));
    if (expiresAt !== NEVER) {
      const listed = expiryKey(key.buffer, 0, key.length, expiresAt);
      batch.put(this.#arena.write(listed, listed.length, NO_VALUE, timestamp, NEVER));
    }
    return time;
  }

  #merge(engine: StoreEngine, layer: OverlayLayer, streamTime: number): number {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamp } = this.#cursor;
    const key = this.#key;
    key.setRange(buffer, keyStart, keyEnd);
    const completed = this.#format.complete(key, streamTime);
    if (completed === "skip") return streamTime;
    const time = Math.max(streamTime, completed < 0 ? timestamp : completed);
    key.seal();
    const current = layer.get(key.id) ?? engine.get(key.bytes());
    const merged = this.#format.merge?.(
      current?.isDeleted === true ? undefined : current,
      buffer,
      valueStart,
      valueEnd,
      timestamp,
      time,
    );
    layer.put(key, merged ?? null, timestamp, NEVER);
    return time;
  }

  #expiresAt(): number {
    const { headersStart, headersEnd } = this.#cursor;
    if (headersEnd - headersStart <= NO_HEADERS_BYTES) return NEVER;
    const record: FetchedRecord<Buffer, Buffer> = this.#cursor.record(this.#source);
    const header = record.headers[EXPIRES_AT_HEADER];
    const expiresAt = Buffer.isBuffer(header) ? Number(header.toString("latin1")) : NEVER;
    // Whoever else writes to the topic may mean something else by the name.
    return Number.isSafeInteger(expiresAt) && expiresAt > 0 ? expiresAt : NEVER;
  }
}

/** So many values are handed over before others have their turn: heartbeats, sockets. */
const VALUES_A_TURN = 4_096;

/** Writes what a transaction has left of each key, with the list of what expires. */
export async function writeLayer(layer: OverlayLayer, batch: EngineBatch): Promise<void> {
  let values = 0;
  for (const value of layer.values()) {
    if (value.isDeleted) batch.delete(value.key());
    else batch.put(value);
    if (++values % VALUES_A_TURN === 0) await nextTurn();
  }
  for (const listed of layer.swept) batch.delete(listed);
  if (layer.expiring === 0) return;
  const arena = new Arena();
  for (const { buffer, keyStart, keyEnd, timestamp, expiresAt } of layer.values()) {
    if (expiresAt === NEVER) continue;
    const listed = expiryKey(buffer, keyStart, keyEnd, expiresAt);
    batch.put(arena.write(listed, listed.length, NO_VALUE, timestamp, NEVER));
  }
}

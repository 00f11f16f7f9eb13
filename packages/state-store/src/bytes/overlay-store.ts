import { createHeaders, type RecordSink } from "@eos/core";
import type { Direction, EngineEntry, KeyRange, StoreEngine } from "../engine/store-engine.ts";
import type { EntryCursor, EntrySource } from "../iterators/entry-source.ts";
import { mergeSorted } from "../iterators/merge-sorted.ts";
import { StoreClosedError } from "../iterators/iterator-errors.ts";
import type { ByteReader, ByteStore } from "./byte-store.ts";
import { expiryKey } from "./expiry-index.ts";
import { isExpired, LiveEntries } from "./live-entries.ts";
import { OverlayLayer } from "./overlay-layer.ts";
import { DATA, type PhysicalKey } from "./physical-key.ts";
import { NEVER, type StoredValue } from "./stored-value.ts";

/** The changelog's header that says from which stream time a value counts as deleted (decimal, ms since the epoch). */
export const EXPIRES_AT_HEADER = "eos-expires-at";

/** One header: its count, name and value, the lengths of both, and the digits of the largest safe integer. */
const MAX_HEADERS_BYTES = 3 + EXPIRES_AT_HEADER.length + 16;

const FIRST_DATA = Buffer.of(DATA);
const BEHIND_DATA = Buffer.of(DATA + 1);

export interface OverlayStoreOptions {
  readonly name: string;
  /** `null`: without a changelog. */
  readonly sink: RecordSink | null;
  /** The changelog gets the last write to a key in each transaction, instead of all. */
  readonly caching: boolean;
  /** Where the changelog's key begins in a physical one. */
  readonly prefixBytes: number;
  readonly onHit: () => void;
  /** What the engine holds cannot be read, or is not what was written. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The committed state with what two transactions wrote above it: the one that is being filled, and under it the one
 * that is committing. Both fall together, since the upper one was computed from what the lower one wrote.
 */
export class OverlayStore implements ByteStore {
  readonly #options: OverlayStoreOptions;
  readonly committed: ByteReader = new CommittedReader(() => {
    // While the engine rolls forward it may hold a part of a transaction.
    this.#throwIfSuspended();
    return this.engine;
  });
  #engine: StoreEngine | null = null;
  #filling = new OverlayLayer(-1);
  #committing: OverlayLayer | null = null;
  #isSuspended = false;
  /** Whether the engine lists values that expire: what is put may take the place of one. */
  hasExpiring = false;

  constructor(options: OverlayStoreOptions) {
    this.#options = options;
  }

  /** @throws StoreClosedError while there is none */
  get engine(): StoreEngine {
    this.#throwIfClosed();
    return this.#engine as StoreEngine;
  }

  /** Changes what lies below: the engine was opened, opened anew, or closed (`null`). Drops what is not committed. */
  attach(engine: StoreEngine | null): void {
    this.#engine = engine;
    this.#isSuspended = false;
    this.abort();
  }

  /** Takes no writes, and shows nothing as committed, until an engine is attached: what lies below may lack something. */
  suspend(): void {
    this.#isSuspended = true;
  }

  get streamTime(): number {
    return this.#filling.streamTime;
  }

  get(key: PhysicalKey): StoredValue | undefined {
    const value = this.getExpired(key);
    return value === undefined || isExpired(value, this.streamTime) ? undefined : value;
  }

  /** As {@link get}, but also what has expired and was not removed yet. */
  getExpired(key: PhysicalKey): StoredValue | undefined {
    const value = this.#uncommitted(key);
    if (value === undefined) return this.#fromEngine(key);
    this.#options.onHit();
    return value.isDeleted ? undefined : value;
  }

  put(key: PhysicalKey, value: string | Uint8Array | null, timestamp: number, expiresAt: number): void {
    this.#throwIfReadOnly();
    if (this.#options.caching) this.#checkSize(key, value, expiresAt);
    else this.#log(key.buffer, key.length, value, timestamp, expiresAt);
    if (this.hasExpiring || expiresAt !== NEVER) this.#unlist(key);
    this.#filling.put(key, value, timestamp, expiresAt);
  }

  putLogged(key: PhysicalKey, stored: Uint8Array | null, logged: string | Uint8Array | null, timestamp: number): void {
    this.#throwIfReadOnly();
    this.#log(key.buffer, key.length, logged, timestamp, NEVER);
    this.#filling.put(key, stored, timestamp, NEVER);
  }

  observe(timestamp: number): void {
    if (timestamp > this.#filling.streamTime) this.#filling.streamTime = timestamp;
  }

  expireBelow(key: Buffer): void {
    this.#filling.expiredBelow = Buffer.from(key);
  }

  iterate(range: KeyRange, direction: Direction): EntryCursor {
    const bounded = withinData(range);
    const layers = [this.#filling, this.#committing].filter((layer) => layer !== null && layer.size > 0);
    const sources = layers.map((layer) => new LayerSource((layer as OverlayLayer).range(bounded, direction)));
    const merged = mergeSorted(sources, this.engine.iterate(bounded, direction), direction);
    return new LiveEntries(merged, this.streamTime, this.#options.onFailure);
  }

  approximateNumEntries(): Promise<number> {
    return this.committed.approximateNumEntries();
  }

  /** A key of the engine that lists an expired value is done with: the next commit removes it. */
  swept(listed: Buffer): void {
    this.#filling.swept.push(listed);
  }

  /** The transaction that was filled is about to commit; the next one fills from now on. */
  beginCommit(): void {
    const filled = this.#filling;
    if (this.#options.caching) {
      for (const value of filled.values()) {
        const key = value.key();
        this.#log(key, key.length, value.isDeleted ? null : value.bytes(), value.timestamp, value.expiresAt);
      }
    }
    this.#committing = filled;
    this.#filling = new OverlayLayer(filled.streamTime);
  }

  /** What is committing; `null` when nothing is. */
  get committing(): OverlayLayer | null {
    return this.#committing;
  }

  /** The engine has what was committing. */
  endCommit(): void {
    this.#committing = null;
  }

  /** Drops both transactions. */
  abort(): void {
    this.#committing = null;
    this.#filling = new OverlayLayer(this.#engine?.position.streamTime ?? -1);
  }

  #throwIfReadOnly(): void {
    this.#throwIfSuspended();
    this.#throwIfClosed();
  }

  #throwIfSuspended(): void {
    if (this.#isSuspended) throw new StoreClosedError(this.#options.name);
  }

  #throwIfClosed(): void {
    if (this.#engine === null) throw new StoreClosedError(this.#options.name);
  }

  /** A value that is overwritten leaves the list of what expires, which would keep it until its time. */
  #unlist(key: PhysicalKey): void {
    const before = this.#uncommitted(key) ?? this.#fromEngine(key);
    const expiresAt = before?.expiresAt ?? NEVER;
    if (expiresAt !== NEVER) this.#filling.swept.push(expiryKey(key.buffer, 0, key.length, expiresAt));
  }

  #uncommitted(key: PhysicalKey): StoredValue | undefined {
    return this.#filling.get(key.id) ?? this.#committing?.get(key.id);
  }

  #fromEngine(key: PhysicalKey): StoredValue | undefined {
    const { engine } = this;
    try {
      return engine.get(key.bytes());
    } catch (error) {
      // Also for whoever swallows it: nothing that was computed without this value may be committed.
      this.#options.onFailure(error);
      throw error;
    }
  }

  /** When the commit begins it is too late: the record that comes again would fail it again. */
  #checkSize(key: PhysicalKey, value: string | Uint8Array | null, expiresAt: number): void {
    const { sink, prefixBytes } = this.#options;
    const valueBytes = typeof value === "string" ? Buffer.byteLength(value) : (value?.length ?? 0);
    const headersBytes = expiresAt === NEVER ? 0 : MAX_HEADERS_BYTES;
    sink?.checkRecordSize(key.length - prefixBytes + valueBytes + headersBytes);
  }

  #log(key: Buffer, keyLength: number, value: string | Uint8Array | null, timestamp: number, expiresAt: number): void {
    const { sink, prefixBytes } = this.#options;
    if (sink === null) return;
    if (expiresAt === NEVER) sink.append(key, prefixBytes, keyLength, value, timestamp);
    else {
      const headers = createHeaders({ [EXPIRES_AT_HEADER]: String(expiresAt) });
      sink.append(key, prefixBytes, keyLength, value, timestamp, headers);
    }
  }
}

/** The committed state alone: what interactive reads see. */
class CommittedReader implements ByteReader {
  readonly #engine: () => StoreEngine;

  constructor(engine: () => StoreEngine) {
    this.#engine = engine;
  }

  get streamTime(): number {
    return this.#engine().position.streamTime;
  }

  get(key: PhysicalKey): StoredValue | undefined {
    const value = this.#engine().get(key.bytes());
    return value === undefined || isExpired(value, this.streamTime) ? undefined : value;
  }

  iterate(range: KeyRange, direction: Direction): EntryCursor {
    const bounded = withinData(range);
    const merged = mergeSorted([], this.#engine().iterate(bounded, direction), direction);
    return new LiveEntries(merged, this.streamTime, () => undefined);
  }

  approximateNumEntries(): Promise<number> {
    return this.#engine().approximateNumEntries();
  }
}

/** The values of a layer in a range, as entries. */
class LayerSource implements EntrySource {
  readonly #values: readonly StoredValue[];
  #at = 0;

  constructor(values: readonly StoredValue[]) {
    this.#values = values;
  }

  next(): EngineEntry | undefined {
    const value = this.#values[this.#at++];
    return value && { key: value.key(), value };
  }
}

/** The engine keeps other things beside the data. */
function withinData(range: KeyRange): KeyRange {
  const bounded: { -readonly [B in keyof KeyRange]: KeyRange[B] } = { ...range };
  if (range.gte === undefined && range.gt === undefined) bounded.gte = FIRST_DATA;
  if (range.lte === undefined && range.lt === undefined) bounded.lt = BEHIND_DATA;
  return bounded;
}

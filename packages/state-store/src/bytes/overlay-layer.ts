import type { Direction, KeyRange } from "../engine/store-engine.ts";
import { Arena } from "./arena.ts";
import { IdOrder, lowerBound, upperBound } from "./id-order.ts";
import { DATA, keyId, type PhysicalKey } from "./physical-key.ts";
import { NEVER, type StoredValue } from "./stored-value.ts";

/** What one transaction has written, by key: the last value of each, or that it is deleted. */
export class OverlayLayer {
  readonly #arena = new Arena();
  readonly #values = new Map<string, StoredValue>();
  readonly #order = new IdOrder();
  streamTime: number;
  /** How many of the values put expire. */
  expiring = 0;
  /** Keys of the engine that list expired values and are done with. */
  readonly swept: Buffer[] = [];
  /** Physical key that everything below is expired of. */
  expiredBelow: Buffer | null = null;

  constructor(streamTime: number) {
    this.streamTime = streamTime;
  }

  get size(): number {
    return this.#values.size;
  }

  get bytes(): number {
    return this.#arena.bytes;
  }

  get(id: string): StoredValue | undefined {
    return this.#values.get(id);
  }

  put(key: PhysicalKey, value: string | Uint8Array | null, timestamp: number, expiresAt: number): StoredValue {
    const stored = this.#arena.write(key.buffer, key.length, value, timestamp, expiresAt);
    if (expiresAt !== NEVER) this.expiring++;
    const before = this.#values.size;
    this.#values.set(key.id, stored);
    if (this.#values.size !== before) this.#order.add(key.id);
    return stored;
  }

  values(): IterableIterator<StoredValue> {
    return this.#values.values();
  }

  /** The values in a range as of now, in the order of their keys; deleted ones too. */
  range(range: KeyRange, direction: Direction): StoredValue[] {
    if (this.#values.size === 0) return [];
    const ids = this.#order.sorted();
    const { gte, gt, lt, lte } = range;
    const from = gte !== undefined ? firstAt(ids, gte) : gt !== undefined ? firstBehind(ids, gt) : 0;
    const to = lte !== undefined ? firstBehind(ids, lte) : lt !== undefined ? firstAt(ids, lt) : ids.length;
    const found: StoredValue[] = [];
    if (direction === "forward") for (let i = from; i < to; i++) found.push(this.#values.get(ids[i]!)!);
    else for (let i = to - 1; i >= from; i--) found.push(this.#values.get(ids[i]!)!);
    return found;
  }
}

/** Index of the first id at or behind a bound, which may lie beyond all data. */
function firstAt(ids: readonly string[], bound: Buffer): number {
  return isBeyondData(bound) ? ids.length : lowerBound(ids, keyId(bound));
}

function firstBehind(ids: readonly string[], bound: Buffer): number {
  return isBeyondData(bound) ? ids.length : upperBound(ids, keyId(bound));
}

/** Ids leave the first byte out. */
function isBeyondData(bound: Buffer): boolean {
  return (bound[0] ?? DATA) > DATA;
}

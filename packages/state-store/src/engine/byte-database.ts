import type { Direction, KeyRange } from "./store-engine.ts";
import { FIRST_DATA_KEY } from "./store-metadata.ts";

/** What the engines use of their databases, all of them of `abstract-level`. */
export interface ByteDatabase {
  getSync(key: Buffer): Buffer | undefined;
  iterator(options: IteratorOptions): ByteIterator;
  keys(options: KeyRange & { readonly limit?: number }): { all(): Promise<Buffer[]> };
  clear(range: KeyRange): Promise<void>;
  batch(): ByteBatch;
  close(): Promise<void>;
}

/** What `level` is on Node, where it is `classic-level`. */
export interface LevelDatabase extends ByteDatabase {
  /** Bytes of tables that a range takes. */
  approximateSize(start: Buffer, end: Buffer): Promise<number>;
  /** Also writes what is in memory to a table. */
  compactRange(start: Buffer, end: Buffer): Promise<void>;
}

interface IteratorOptions extends KeyRange {
  readonly reverse: boolean;
  readonly highWaterMarkBytes: number;
}

/** The snapshot is that of the moment it was made in. */
export interface ByteIterator {
  nextv(size: number): Promise<[Buffer, Buffer][]>;
  close(): Promise<void>;
}

/** A chained batch: half of what an array of operations costs the main thread. */
export interface ByteBatch {
  put(key: Buffer, value: Buffer): this;
  del(key: Buffer): this;
  write(options?: { readonly sync: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** A range of physical keys; an absent lower bound lies behind the engine's own keys. */
export function dataRange(range: KeyRange): KeyRange {
  return range.gte === undefined && range.gt === undefined ? { ...range, gte: FIRST_DATA_KEY } : range;
}

export function iteratorOptions(range: KeyRange, direction: Direction, highWaterMarkBytes: number): IteratorOptions {
  return { ...dataRange(range), reverse: direction === "reverse", highWaterMarkBytes };
}

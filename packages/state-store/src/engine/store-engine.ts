import type { StoredValue } from "../bytes/stored-value.ts";

/** Bounds of physical keys; an absent one is the end of all keys that are not the engine's own. */
export interface KeyRange {
  readonly gte?: Buffer;
  readonly gt?: Buffer;
  readonly lt?: Buffer;
  readonly lte?: Buffer;
}

export type Direction = "forward" | "reverse";

/** An entry of the engine; both buffers are its own. */
export interface EngineEntry {
  readonly key: Buffer;
  readonly value: StoredValue;
}

/** What every commit writes beside its data, so that the two cannot disagree. */
export interface StorePosition {
  /** Next offset of the changelog to read; −1 when nothing is known of it, as in a new store. */
  readonly changelogOffset: number;
  /** Highest timestamp the store has seen (stream time); −1 before the first. */
  readonly streamTime: number;
}

/**
 * Committed state of one store of one task, sorted by physical key: `0x01 ∥ [segment id, 8 bytes] ∥ changelog key`.
 *
 * One writer: a batch is written before the next one is begun. Reads see a batch as a whole or not at all.
 */
export interface StoreEngine {
  /** As of the last batch written. */
  readonly position: StorePosition;
  /** Batches ever written. */
  readonly commitNumber: number;
  /** @throws CorruptStoreError when the value is not what was written */
  get(key: Buffer): StoredValue | undefined;
  /** A snapshot as of now. Ends early, and cleans up, when its consumer does. @throws CorruptStoreError */
  iterate(range: KeyRange, direction: Direction): AsyncIterableIterator<EngineEntry>;
  batch(): EngineBatch;
  /** Removes the data in a range at the cost of a range delete; not part of a batch, and a crash may leave some of it. */
  clear(range: KeyRange): Promise<void>;
  /** Exact in memory, and up to 1,000; beyond that, bytes on disk divided by the mean size of an entry. */
  approximateNumEntries(): Promise<number>;
  /** On disk, or 0. */
  approximateBytes(): Promise<number>;
  /**
   * Copies the store as of its last batch into a folder that does not exist or is empty, from which it can be opened.
   * The folder gets its name when all is in it. Tables are linked within one file system: a backup against the loss of
   * the disk is a copy of the snapshot on another one.
   */
  snapshot(folder: string): Promise<void>;
  /** Everything written is on disk when it resolves, and said to be (a clean stop). */
  close(): Promise<void>;
}

/** Writes are taken over at once; nothing can be read of them before {@link write} resolves. */
export interface EngineBatch {
  /** @param value one whose key lies before it in its buffer, as `Arena.write` makes it; not a deleted one */
  put(value: StoredValue): void;
  delete(key: Buffer): void;
  /**
   * Writes all with `position` and the next commit number, atomically.
   *
   * @throws StoreIoError: the engine must be opened anew, and its position says then whether the batch was written
   */
  write(position: StorePosition): Promise<void>;
  /** Drops it. */
  discard(): Promise<void>;
}

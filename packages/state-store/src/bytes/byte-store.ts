import type { Direction, KeyRange } from "../engine/store-engine.ts";
import type { EntryCursor } from "../iterators/entry-source.ts";
import type { PhysicalKey } from "./physical-key.ts";
import type { StoredValue } from "./stored-value.ts";

/** What typed stores read from: the committed state alone, or with what the open transactions wrote above it. */
export interface ByteReader {
  /** `undefined` when it is absent, deleted or expired. @throws CorruptStoreError: the task starts anew from the changelog */
  get(key: PhysicalKey): StoredValue | undefined;
  /** A snapshot as of now, without what is deleted or expired. An open bound is the end of the data. */
  iterate(range: KeyRange, direction: Direction): EntryCursor;
  /** The highest timestamp seen; −1 before the first. */
  readonly streamTime: number;
  approximateNumEntries(): Promise<number>;
}

/** Writes belong to the open transaction: the overlay here, the changelog at the broker. */
export interface ByteStore extends ByteReader {
  /**
   * @param value `null` deletes
   * @param expiresAt stream time from which it counts as deleted; `NEVER` (0) for most
   * @throws EosError when the changelog cannot take it; nothing was written then
   */
  put(key: PhysicalKey, value: string | Uint8Array | null, timestamp: number, expiresAt: number): void;
  /**
   * As {@link put}, for a store whose changelog says something else than what is stored.
   * @param logged the changelog's value under the same key
   */
  putLogged(key: PhysicalKey, stored: Uint8Array | null, logged: string | Uint8Array | null, timestamp: number): void;
  /** Moves stream time. It falls back when the transaction is aborted. */
  observe(timestamp: number): void;
  /** Everything below this physical key is expired: the next commit removes it, by a range delete. The changelog has a retention of its own. */
  expireBelow(key: Buffer): void;
}

/** What a kind of store makes of a changelog record, when it is restored. */
export interface ChangelogFormat {
  /** What decides which bytes lie on disk under which key, in words: a store of another layout is restored anew. */
  readonly layout: string;
  readonly prefixBytes: 1 | 9;
  /**
   * Completes the physical key of a changelog's key, which lies behind the prefix already.
   * @returns the time to observe; −1: the record's timestamp; `"skip"`: the record is not one of this store, or has
   * expired at this stream time
   */
  complete(key: PhysicalKey, streamTime: number): number | "skip";
  /**
   * What stream time expires by moving from `before` to where it is: everything below a physical key, to be removed by a
   * range delete; `null` when it is nothing. Absent when nothing expires so.
   */
  expiredBelow?(before: number, streamTime: number): Buffer | null;
  /**
   * What is stored for a changelog value, given what is stored now; absent when that is the value itself.
   * @param current as of the record before; `undefined` when absent
   */
  merge?(
    current: StoredValue | undefined,
    source: Buffer,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    streamTime: number,
  ): Uint8Array | null;
}

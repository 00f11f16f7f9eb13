import type { ClassicLevel } from "classic-level";
import type { KeyRange } from "./store-engine.ts";
import { FIRST_DATA_KEY } from "./store-metadata.ts";

/** What both engines use of their databases. */
export type ByteDatabase = Pick<
  ClassicLevel<Buffer, Buffer>,
  "open" | "close" | "getSync" | "iterator" | "keys" | "clear"
> & {
  batch(): ByteBatch;
};

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

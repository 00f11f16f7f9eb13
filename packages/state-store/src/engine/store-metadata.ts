import { crc32 } from "node:zlib";
import { readInt64, writeInt64 } from "../bytes/arena.ts";
import type { StorePosition } from "./store-engine.ts";

/** Of the layout of keys and values; a store of another version is restored from its changelog instead. */
export const FORMAT_VERSION = 1;

/** What the engine keeps for itself lies below all data, under 0x00. */
export const FORMAT_KEY = Buffer.from("\0format");
/** Says of which store this is. */
export const IDENTITY_KEY = Buffer.from("\0identity");
export const POSITION_KEY = Buffer.from("\0position");
/** Commits up to this number are in tables, and their keys are gone. */
export const CHECKPOINT_KEY = Buffer.from("\0checkpoint");
const COMMIT_PREFIX = Buffer.from("\0commit/");
/** The first key that can be data. */
export const FIRST_DATA_KEY = Buffer.of(1);

const CHECKSUM_BYTES = 4;

export interface CommitPosition extends StorePosition {
  readonly commitNumber: number;
}

/** One for each commit, written with it: a commit that was lost is a gap among them. Sorts by number. */
export function commitKey(commitNumber: number): Buffer {
  const key = Buffer.alloc(COMMIT_PREFIX.length + 8);
  COMMIT_PREFIX.copy(key);
  writeInt64(key, commitNumber, COMMIT_PREFIX.length);
  return key;
}

/** −1 for a key that is none of a commit. */
export function commitNumberOf(key: Buffer): number {
  return key.length === COMMIT_PREFIX.length + 8 ? readInt64(key, COMMIT_PREFIX.length) : -1;
}

export function encodeNumbers(key: Buffer, ...numbers: readonly number[]): Buffer {
  const end = numbers.length * 8;
  const value = Buffer.allocUnsafe(end + CHECKSUM_BYTES);
  numbers.forEach((number, i) => {
    writeInt64(value, number, i * 8);
  });
  value.writeUInt32BE(crc32(value.subarray(0, end), crc32(key)), end);
  return value;
}

/** `null` when the value is not what was written under this key. */
export function decodeNumbers(key: Buffer, value: Buffer | undefined, count: number): number[] | null {
  const end = count * 8;
  if (value?.length !== end + CHECKSUM_BYTES) return null;
  if (crc32(value.subarray(0, end), crc32(key)) !== value.readUInt32BE(end)) return null;
  return Array.from({ length: count }, (_, i) => readInt64(value, i * 8));
}

export function encodeIdentity(identity: string): Buffer {
  const end = Buffer.byteLength(identity);
  const value = Buffer.allocUnsafe(end + CHECKSUM_BYTES);
  value.write(identity);
  value.writeUInt32BE(crc32(value.subarray(0, end), crc32(IDENTITY_KEY)), end);
  return value;
}

/** `null` when the value is not what was written. */
export function decodeIdentity(value: Buffer | undefined): string | null {
  if (value === undefined || value.length < CHECKSUM_BYTES) return null;
  const end = value.length - CHECKSUM_BYTES;
  if (crc32(value.subarray(0, end), crc32(IDENTITY_KEY)) !== value.readUInt32BE(end)) return null;
  return value.toString("utf8", 0, end);
}

export function encodePosition({ changelogOffset, streamTime, commitNumber }: CommitPosition): Buffer {
  return encodeNumbers(POSITION_KEY, changelogOffset, streamTime, commitNumber);
}

export function decodePosition(value: Buffer | undefined): CommitPosition | null {
  const numbers = decodeNumbers(POSITION_KEY, value, 3);
  if (numbers === null) return null;
  const [changelogOffset, streamTime, commitNumber] = numbers as [number, number, number];
  return { changelogOffset, streamTime, commitNumber };
}

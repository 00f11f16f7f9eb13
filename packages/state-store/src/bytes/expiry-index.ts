import { readInt64, writeInt64 } from "./arena.ts";
import { DATA, EXPIRY } from "./physical-key.ts";

const HEAD_BYTES = 9;

/** First key of the index: every other lies behind it. */
export const FIRST_EXPIRY = Buffer.of(EXPIRY);

/** `0x02 ∥ expires at(8) ∥ physical key without its first byte`: lists what expires in the order it does. */
export function expiryKey(key: Buffer, keyStart: number, keyEnd: number, expiresAt: number): Buffer {
  const listed = Buffer.allocUnsafe(HEAD_BYTES + keyEnd - keyStart - 1);
  listed[0] = EXPIRY;
  writeInt64(listed, expiresAt, 1);
  key.copy(listed, HEAD_BYTES, keyStart + 1, keyEnd);
  return listed;
}

/** The bound behind everything that has expired at `streamTime`. */
export function expiredUntil(streamTime: number): Buffer {
  const bound = Buffer.allocUnsafe(HEAD_BYTES);
  bound[0] = EXPIRY;
  writeInt64(bound, streamTime + 1, 1);
  return bound;
}

export function readExpiryKey(listed: Buffer): { readonly key: Buffer; readonly expiresAt: number } {
  const key = Buffer.allocUnsafe(listed.length - HEAD_BYTES + 1);
  key[0] = DATA;
  listed.copy(key, 1, HEAD_BYTES);
  return { key, expiresAt: readInt64(listed, 1) };
}

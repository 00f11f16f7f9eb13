import { loadOptionalModule } from "./optional-module.ts";

/** Castagnoli, reflected. `zlib.crc32` is no substitute: it has the other polynomial. */
const POLYNOMIAL = 0x82f63b78;

const native = loadOptionalModule("@node-rs/crc32") as { crc32c(input: Uint8Array): number } | undefined;

/** CRC-32C of `buffer[start, end)`, unsigned. */
export const crc32c: (buffer: Buffer, start?: number, end?: number) => number =
  native === undefined ? crc32cInJs : crc32cNative(native.crc32c);

function crc32cNative(checksum: (input: Uint8Array) => number) {
  return (buffer: Buffer, start = 0, end = buffer.length): number =>
    checksum(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
}

let tables: Int32Array | undefined;

/** Slicing-by-8: eight table look-ups for eight bytes, so that the look-ups do not wait for each other. */
export function crc32cInJs(buffer: Buffer, start = 0, end = buffer.length): number {
  const t = (tables ??= createTables());
  let crc = -1;
  let i = start;
  for (const stop = end - 7; i < stop; i += 8) {
    const low = crc ^ (buffer[i]! | (buffer[i + 1]! << 8) | (buffer[i + 2]! << 16) | (buffer[i + 3]! << 24));
    crc =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + buffer[i + 4]!]! ^
      t[512 + buffer[i + 5]!]! ^
      t[256 + buffer[i + 6]!]! ^
      t[buffer[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ buffer[i]!) & 0xff]!;
  return ~crc >>> 0;
}

function createTables(): Int32Array {
  const t = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    t[byte] = crc;
  }
  for (let i = 256; i < t.length; i++) {
    const previous = t[i - 256]!;
    t[i] = (previous >>> 8) ^ t[previous & 0xff]!;
  }
  return t;
}

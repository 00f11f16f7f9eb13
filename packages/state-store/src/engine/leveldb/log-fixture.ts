import { maskedChecksum } from "./masked-checksum.ts";

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;

/** Writes records as LevelDB's `log::Writer` does. */
export function writeLog(records: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let inBlock = 0;
  for (const record of records) {
    let rest = record;
    let isFirst = true;
    do {
      const left = BLOCK_BYTES - inBlock;
      if (left < HEADER_BYTES) {
        parts.push(Buffer.alloc(left));
        inBlock = 0;
      }
      const data = rest.subarray(0, BLOCK_BYTES - inBlock - HEADER_BYTES);
      rest = rest.subarray(data.length);
      const isLast = rest.length === 0;
      parts.push(fragment(isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3, data));
      inBlock += HEADER_BYTES + data.length;
      isFirst = false;
    } while (rest.length > 0);
  }
  return Buffer.concat(parts);
}

/** A record of the write-ahead log: `sequence(8) ∥ count(4) ∥ …`. */
export function writeRecord(sequence: number, count: number, bytes = 0): Buffer {
  const record = Buffer.alloc(12 + bytes, 0x77);
  record.writeBigUInt64LE(BigInt(sequence), 0);
  record.writeUInt32LE(count, 8);
  return record;
}

function fragment(type: number, data: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(6), Buffer.of(type), data]);
  bytes.writeUInt16LE(data.length, 4);
  bytes.writeUInt32LE(maskedChecksum(bytes, 6, bytes.length), 0);
  return bytes;
}

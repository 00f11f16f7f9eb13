import { ByteReader } from "../protocol/byte-reader.ts";
import type { Codec } from "./codecs.ts";
import { checkDecompressedSize } from "./decompressed-size.ts";
import { loadOptionalModule } from "./optional-module.ts";

interface SnappyModule {
  compressSync(input: Uint8Array): Buffer;
  uncompressSync(input: Uint8Array, options: { asBuffer: true }): Buffer;
}

/** Head of xerial's framing, which Kafka's Java clients write: magic, version 1, compatible with version 1. */
const XERIAL_HEAD = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const XERIAL_MAGIC = XERIAL_HEAD.subarray(0, 8);
/** Java's block size. Larger blocks make some readers allocate more than they would. */
const BLOCK_BYTES = 32_768;

/** Snappy by the package `snappy`, in xerial's framing as Java writes it; librdkafka's bare blocks are read as well. */
export function loadSnappyCodec(): Codec | undefined {
  const snappy = loadOptionalModule("snappy") as SnappyModule | undefined;
  if (snappy === undefined) return undefined;
  return {
    id: 2,
    name: "snappy",
    compress: (records) => frame(snappy, records),
    decompress: (compressed) => unframe(snappy, compressed),
  };
}

function frame(snappy: SnappyModule, records: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEAD];
  for (let start = 0; start < records.length; start += BLOCK_BYTES) {
    const block = snappy.compressSync(records.subarray(start, start + BLOCK_BYTES));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

function unframe(snappy: SnappyModule, compressed: Buffer): Buffer {
  if (!compressed.subarray(0, 8).equals(XERIAL_MAGIC)) {
    checkDecompressedSize(announcedSize(compressed));
    return snappy.uncompressSync(compressed, { asBuffer: true });
  }
  const parts: Buffer[] = [];
  let total = 0;
  const reader = new ByteReader(compressed, XERIAL_HEAD.length);
  while (reader.remaining > 0) {
    const block = reader.bytes();
    if (block === null) throw new RangeError(`negative block length before position ${reader.position}`);
    total += announcedSize(block);
    checkDecompressedSize(total);
    parts.push(snappy.uncompressSync(block, { asBuffer: true }));
  }
  return Buffer.concat(parts);
}

function announcedSize(block: Buffer): number {
  return new ByteReader(block).uvarint();
}

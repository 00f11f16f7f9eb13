import type { Codec } from "./codecs.ts";
import { checkDecompressedSize } from "./decompressed-size.ts";
import { loadOptionalModule } from "./optional-module.ts";

interface Lz4Module {
  compressFrameSync(data: Buffer): Buffer;
  decompressFrameSync(data: Buffer): Buffer;
}

/** LZ4 frames by the package `lz4-napi`. */
export function loadLz4Codec(): Codec | undefined {
  const lz4 = loadOptionalModule("lz4-napi") as Lz4Module | undefined;
  if (lz4 === undefined) return undefined;
  return {
    id: 3,
    name: "lz4",
    compress: (records) => lz4.compressFrameSync(records),
    decompress(compressed) {
      checkDecompressedSize(mostBytesIn(compressed));
      return lz4.decompressFrameSync(compressed);
    },
  };
}

/** The package has no limit of its own, so the blocks are counted first: none decompresses to more than the frame's block size. */
function mostBytesIn(frame: Buffer): number {
  const flags = frame.readUInt8(4);
  const blockBytes = 1 << (8 + 2 * ((frame.readUInt8(5) >> 4) & 7));
  const checksumBytes = flags & 0x10 ? 4 : 0;
  let position = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let total = 0;
  while (position + 4 <= frame.length) {
    const size = frame.readUInt32LE(position) & 0x7fff_ffff;
    if (size === 0) break;
    total += blockBytes;
    position += 4 + size + checksumBytes;
  }
  return total;
}

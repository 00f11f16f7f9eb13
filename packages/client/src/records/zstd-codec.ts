import * as zlib from "node:zlib";

import type { Codec } from "./codecs.ts";
import { checkDecompressedSize, MAX_DECOMPRESSED_BYTES } from "./decompressed-size.ts";
import { loadOptionalModule } from "./optional-module.ts";

/** What `node:zlib` has from Node 22.15 on. */
interface ZstdInNode {
  zstdCompressSync?(data: Buffer): Buffer;
  zstdDecompressSync?(data: Buffer, options: { maxOutputLength: number }): Buffer;
}

interface ZstdInWebAssembly {
  init(): Promise<void>;
  compress(data: Uint8Array): Uint8Array;
  decompress(data: Uint8Array, options: { defaultHeapSize: number }): Uint8Array;
}

const FIRST_GUESS_BYTES = 1_048_576;
/** `ZSTD_error_dstSize_tooSmall`, as the package words it. */
const TOO_SMALL = /code -70$/;

/** Zstandard by Node itself where it has it, else by the package `@bokuweb/zstd-wasm`. */
export async function loadZstdCodec(): Promise<Codec | undefined> {
  const { zstdCompressSync, zstdDecompressSync } = zlib as ZstdInNode;
  if (zstdCompressSync !== undefined && zstdDecompressSync !== undefined) {
    return {
      id: 4,
      name: "zstd",
      compress: (records) => zstdCompressSync(records),
      decompress: (compressed) => zstdDecompressSync(compressed, { maxOutputLength: MAX_DECOMPRESSED_BYTES }),
    };
  }
  const wasm = loadOptionalModule("@bokuweb/zstd-wasm") as ZstdInWebAssembly | undefined;
  if (wasm === undefined) return undefined;
  await wasm.init();
  return {
    id: 4,
    name: "zstd",
    compress: (records) => asBuffer(wasm.compress(records)),
    decompress: (compressed) => decompress(wasm, compressed),
  };
}

/** Java writes frames without a content size, and the package then needs to be told how much it may become. */
function decompress(wasm: ZstdInWebAssembly, compressed: Buffer): Buffer {
  checkDecompressedSize(contentSize(compressed) ?? 0);
  let size = Math.max(FIRST_GUESS_BYTES, compressed.length * 8);
  for (;;) {
    try {
      return asBuffer(wasm.decompress(compressed, { defaultHeapSize: size }));
    } catch (error) {
      if (!(error instanceof Error && TOO_SMALL.test(error.message))) throw error;
      checkDecompressedSize(size * 4);
      size *= 4;
    }
  }
}

/** The content size in a frame's head (RFC 8878, 3.1.1.1), undefined when it has none. */
function contentSize(frame: Buffer): number | undefined {
  const descriptor = frame.readUInt8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const position = 5 + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  switch (descriptor >> 6) {
    case 0:
      return singleSegment ? frame.readUInt8(position) : undefined;
    case 1:
      return frame.readUInt16LE(position) + 256;
    case 2:
      return frame.readUInt32LE(position);
    default:
      return Number(frame.readBigUInt64LE(position));
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

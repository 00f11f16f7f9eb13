import { gunzipSync, gzipSync } from "node:zlib";

import { MAX_DECOMPRESSED_BYTES } from "./decompressed-size.ts";
import { loadLz4Codec } from "./lz4-codec.ts";
import { MissingCodecError } from "./record-errors.ts";
import { loadSnappyCodec } from "./snappy-codec.ts";
import { loadZstdCodec } from "./zstd-codec.ts";

/** Kafka's names; a topic's or a producer's `compression.type`. */
export type CodecName = "gzip" | "snappy" | "lz4" | "zstd";

/** A compression of whole record batches. Synchronous: a batch is a megabyte at most when it is written here. */
export interface Codec {
  /** As in the low three bits of a batch's attributes. */
  readonly id: 1 | 2 | 3 | 4;
  readonly name: CodecName;
  compress(records: Buffer): Buffer;
  /** @throws when the bytes are damaged, or would grow beyond 256 MiB. */
  decompress(compressed: Buffer): Buffer;
}

const NAMES: readonly (CodecName | undefined)[] = [undefined, "gzip", "snappy", "lz4", "zstd"];

const HINTS: Readonly<Record<CodecName, string>> = {
  gzip: "Gzip comes with Node",
  snappy: "Install the package 'snappy'",
  lz4: "Install the package 'lz4-napi'",
  zstd: "Run on Node 22.15 or later, or install the package '@bokuweb/zstd-wasm' and await loadCodec('zstd') first",
};

const gzipCodec: Codec = {
  id: 1,
  name: "gzip",
  compress: (records) => gzipSync(records),
  decompress: (compressed) => gunzipSync(compressed, { maxOutputLength: MAX_DECOMPRESSED_BYTES }),
};

const ready = new Map<CodecName, Codec>([["gzip", gzipCodec]]);

/**
 * Makes a codec ready, so that {@link codecFor} finds it.
 * @throws MissingCodecError naming the package to install.
 */
export async function loadCodec(name: CodecName): Promise<Codec> {
  const codec = ready.get(name) ?? (name === "zstd" ? await loadZstdCodec() : loadNow(name));
  return keep(name, codec);
}

/**
 * The codec with this id, synchronously. Zstandard in WebAssembly cannot be loaded so: it has to be made ready by
 * {@link loadCodec} before.
 * @throws MissingCodecError
 */
export function codecFor(id: number): Codec {
  const name = NAMES[id];
  if (name === undefined) throw new MissingCodecError(`number ${id}`, "Kafka has the codecs 1 to 4");
  return ready.get(name) ?? keep(name, loadNow(name));
}

/** Whether {@link codecFor} would answer without {@link loadCodec}: a fetcher asks before it opens a batch. */
export function isCodecReady(id: number): boolean {
  const name = NAMES[id];
  return name !== undefined && ready.has(name);
}

export function codecName(id: number): CodecName | undefined {
  return NAMES[id];
}

function loadNow(name: CodecName): Codec | undefined {
  if (name === "snappy") return loadSnappyCodec();
  return name === "lz4" ? loadLz4Codec() : undefined;
}

function keep(name: CodecName, codec: Codec | undefined): Codec {
  if (codec === undefined) throw new MissingCodecError(name, HINTS[name]);
  ready.set(name, codec);
  return codec;
}

import { gzipSync } from "node:zlib";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { codecFor, codecName, isCodecReady, loadCodec } from "./codecs.ts";
import { MAX_DECOMPRESSED_BYTES } from "./decompressed-size.ts";
import { MissingCodecError } from "./record-errors.ts";

const NAMES = ["gzip", "snappy", "lz4", "zstd"] as const;

describe("codecs", () => {
  it("has zstd only after it was loaded, when Node itself has none", async () => {
    if (!isCodecReady(4)) expect(() => codecFor(4)).toThrow(MissingCodecError);
    const codec = await loadCodec("zstd");
    expect(isCodecReady(4)).toBe(true);
    expect(codecFor(4)).toBe(codec);
  });

  it.each(NAMES)("%s gives back what it compressed", async (name) => {
    const codec = await loadCodec(name);
    expect(codecFor(codec.id)).toBe(codec);
    expect(codecName(codec.id)).toBe(name);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 400 }), (bytes, times) => {
        const records = Buffer.concat(Array.from({ length: times }, () => bytes));
        expect(codec.decompress(codec.compress(records)).equals(records)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it.each(NAMES)("%s throws on damaged bytes", async (name) => {
    const codec = await loadCodec(name);
    const compressed = codec.compress(Buffer.from("some records, some records, some records"));
    expect(() => codec.decompress(compressed.subarray(0, compressed.length - 6))).toThrow();
    expect(() => codec.decompress(Buffer.alloc(30, 0x55))).toThrow();
  });

  it.each(NAMES)("%s makes records much smaller when they repeat", async (name) => {
    const codec = await loadCodec(name);
    const records = Buffer.alloc(1_000_000, "a record like all the others; ");
    expect(codec.compress(records).length).toBeLessThan(100_000);
  });

  it("does not know other codecs", () => {
    expect(() => codecFor(5)).toThrow(MissingCodecError);
    expect(codecName(0)).toBeUndefined();
    expect(isCodecReady(7)).toBe(false);
  });

  it("reads bare snappy blocks, as librdkafka writes them, and writes xerial's framing, as Java reads it", async () => {
    const snappy = await loadCodec("snappy");
    const framed = snappy.compress(Buffer.from("records"));
    expect(framed.subarray(0, 16).toString("hex")).toBe("82534e41505059000000000100000001");
    expect(String(snappy.decompress(framed.subarray(20)))).toBe("records");
    expect(snappy.decompress(snappy.compress(Buffer.alloc(0)))).toEqual(Buffer.alloc(0));
  });

  it("writes lz4 frames of independent blocks: Java refuses others", async () => {
    const lz4 = await loadCodec("lz4");
    const frame = lz4.compress(Buffer.alloc(300_000, "records"));
    expect(frame.readUInt32LE(0)).toBe(0x184d2204);
    expect(frame[4]! & 0x20).toBe(0x20);
  });

  it("reads zstd frames without a content size, as Java writes them, however far they grow", async () => {
    const zstd = await loadCodec("zstd");
    // A frame of Java's kind: no content size, a window of 4 MiB; then one block that repeats a byte 128 Ki times, 40 times.
    const block = (isLast: boolean): Buffer => {
      const head = Buffer.alloc(4);
      head.writeUIntLE((0x20000 << 3) | (1 << 1) | (isLast ? 1 : 0), 0, 3);
      head[3] = 0x61;
      return head;
    };
    const frame = Buffer.concat([
      Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x60),
      ...Array.from({ length: 40 }, (_, i) => block(i === 39)),
    ]);
    expect(zstd.decompress(frame).equals(Buffer.alloc(40 * 0x20000, "a"))).toBe(true);
  });
});

describe("a compression bomb", () => {
  it("is refused by gzip", () => {
    // 257 members of 1 MiB of zeros each.
    const member = gzipSync(Buffer.alloc(1_048_576));
    const bomb = Buffer.concat(Array.from({ length: 257 }, () => member));
    expect(() => codecFor(1).decompress(bomb)).toThrow();
  });

  it("is refused by snappy, by the size it announces", () => {
    const announced = Buffer.of(0x80, 0x80, 0x80, 0x81, 0x01, 0);
    expect(() => codecFor(2).decompress(announced)).toThrow("the limit is");
  });

  it("is refused by lz4, by the number of its blocks", () => {
    const blocks = MAX_DECOMPRESSED_BYTES / 4_194_304 + 1;
    const block = Buffer.of(1, 0, 0, 0x80, 0);
    const head = Buffer.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73);
    const frame = Buffer.concat([head, ...Array.from({ length: blocks }, () => block), Buffer.alloc(4)]);
    expect(() => codecFor(3).decompress(frame)).toThrow("the limit is");
  });

  it("is refused by zstd, by the size it announces", async () => {
    const zstd = await loadCodec("zstd");
    const frame = Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0), Buffer.alloc(4, 0x7f), Buffer.of(1, 0, 0)]);
    expect(() => zstd.decompress(frame)).toThrow();
  });
});

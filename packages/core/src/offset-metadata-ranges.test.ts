import { createHash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeRanges, encodeRanges, type OffsetRange } from "./offset-metadata-ranges.ts";

/** Lengths of gap, run, gap, run … from an offset on. */
function rangesOf(offset: number, lengths: readonly (readonly [gap: number, run: number])[]): OffsetRange[] {
  let end = offset;
  return lengths.map(([gap, run]) => {
    const from = end + gap;
    end = from + run;
    return { from, to: end };
  });
}

const offsets = fc.oneof(fc.nat(1_000), fc.nat({ max: 2 ** 52 }));
const shortLengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 20 })), {
  maxLength: 600,
});
const longLengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 2 ** 40 })), {
  maxLength: 40,
});
const maps = fc
  .tuple(offsets, fc.oneof(shortLengths, longLengths))
  .map(([offset, lengths]) => ({ offset, ranges: rangesOf(offset, lengths) }))
  .filter(({ ranges }) => ranges.length > 0);

/** A map with these bytes and a checksum that fits: what no encoder of ours has written. */
function forged(name: string, body: Buffer, offset: number): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body, crc32(`${name}:${offset}`)));
  return `${name}:${Buffer.concat([body, sum]).toString("base64url")}`;
}

describe("the text of completed ranges", () => {
  it("has run lengths where they are shorter", () => {
    expect(encodeRanges([{ from: 101, to: 400 }], 100)).toBe(forged("r", Buffer.from([1, 0xab, 2]), 100));
    expect(encodeRanges([{ from: 101, to: 400 }], 100)).toBe("r:AasCu1dJjg");
    expect(encodeRanges([{ from: 2 ** 52, to: 2 ** 53 - 1 }], 0)).toBe("r:gICAgICAgAj_________BwJ4uA8");
  });

  it("has a bit per offset where that is shorter", () => {
    const ranges = [
      { from: 101, to: 102 },
      { from: 103, to: 105 },
      { from: 108, to: 109 },
    ];
    expect(encodeRanges(ranges, 100)).toBe(forged("b", Buffer.from([0b1000_1101]), 100));
    expect(encodeRanges(ranges, 100)).toBe("b:jT_cHO8");
  });

  // What deflate makes of bytes may differ from one zlib to the next; what inflate makes of them does not.
  it.each([
    [
      "runs",
      "zr:Y-RkHBYQAKI-BcM",
      rangesOf(
        7,
        Array.from({ length: 100 }, () => [1, 9] as const),
      ),
    ],
    [
      "bits",
      "zb:Cw2lDAAA6EUkTQ",
      Array.from({ length: 256 }, (_, index) => ({ from: 8 + 2 * index, to: 9 + 2 * index })),
    ],
  ])("may have its %s deflated", (_what, text, ranges) => {
    expect(decodeRanges(text, 7)).toEqual(ranges);
    expect(decodeRanges(encodeRanges(ranges, 7), 7)).toEqual(ranges);
  });

  it("is deflated when that makes it shorter, and never longer than both layouts", () => {
    fc.assert(
      fc.property(maps, ({ offset, ranges }) => {
        const text = encodeRanges(ranges, offset);
        const body = Buffer.from(text.slice(text.indexOf(":") + 1), "base64url").length - 4;
        expect(body).toBeLessThanOrEqual(Math.ceil(((ranges.at(-1) as OffsetRange).to - offset - 1) / 8));
        expect(body).toBeLessThanOrEqual(ranges.length * 16);
      }),
    );
    // As good as random: there is nothing to deflate.
    const random = createHash("shake256", { outputLength: 200 }).digest();
    const offsets = Array.from({ length: 1_600 }, (_, bit) => bit).filter(
      (bit) => ((random[bit >>> 3] as number) & (1 << (bit & 7))) !== 0,
    );
    const ranges = offsets
      .filter((bit) => !offsets.includes(bit - 1))
      .map((from) => ({ from, to: offsets.find((bit) => bit >= from && !offsets.includes(bit + 1)) as number }))
      .map(({ from, to }) => ({ from: from + 1, to: to + 2 }));
    expect(encodeRanges(ranges, 0)).toMatch(/^b:/);
    const keysStuck = rangesOf(
      0,
      Array.from({ length: 1_000 }, (_, index) => [1, 10 + ((index * 37) % 23)]),
    );
    expect(encodeRanges(keysStuck, 0)).toMatch(/^zr:/);
    expect(encodeRanges(keysStuck, 0).length).toBeLessThan((0.8 * 2_000 * 4) / 3);
  });

  it("reads what it wrote", () => {
    fc.assert(
      fc.property(maps, ({ offset, ranges }) => {
        expect(decodeRanges(encodeRanges(ranges, offset), offset)).toEqual(ranges);
      }),
      { numRuns: 300 },
    );
  });

  it("is nothing at any other offset", () => {
    fc.assert(
      fc.property(maps, offsets, ({ offset, ranges }, other) => {
        fc.pre(other !== offset);
        expect(decodeRanges(encodeRanges(ranges, offset), other)).toBeNull();
      }),
    );
  });

  it("is the same or nothing after a damage, whatever that is", () => {
    const damages = fc.record({ at: fc.nat(), drop: fc.nat(3), insert: fc.string({ maxLength: 3 }) });
    fc.assert(
      fc.property(maps, damages, ({ offset, ranges }, { at, drop, insert }) => {
        const text = encodeRanges(ranges, offset);
        const start = at % text.length;
        const read = decodeRanges(text.slice(0, start) + insert + text.slice(start + drop), offset);
        if (read !== null) expect(read).toEqual(ranges);
      }),
      { numRuns: 1_000 },
    );
  });

  it("gives sorted ranges above the offset, or none, for any bytes under a good checksum", () => {
    const names = fc.constantFrom("r", "b", "zr", "zb");
    fc.assert(
      fc.property(names, fc.uint8Array({ minLength: 1, maxLength: 200 }), offsets, (name, bytes, offset) => {
        const body = name.startsWith("z") ? deflateRawSync(bytes) : Buffer.from(bytes);
        let end = offset;
        for (const { from, to } of decodeRanges(forged(name, body, offset), offset) ?? []) {
          expect(from).toBeGreaterThan(end);
          expect(to).toBeGreaterThan(from);
          expect(Number.isSafeInteger(to)).toBe(true);
          end = to;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("never throws, whatever the text", () => {
    const names = fc.constantFrom("", "r:", "b:", "zr:", "zb:", "zz:", "r", "::");
    fc.assert(
      fc.property(names, fc.string(), fc.base64String(), offsets, (name, text, base64, offset) => {
        decodeRanges(name + text, offset);
        decodeRanges(name + base64, offset);
      }),
    );
  });

  const long = Buffer.alloc(20);
  it.each([
    ["an empty gap", "r", Buffer.from([0, 1])],
    ["an empty run", "r", Buffer.from([1, 0])],
    ["a gap without a run", "r", Buffer.from([1, 1, 1])],
    ["half a gap", "r", Buffer.from([1, 1, 0x80])],
    ["half a run", "r", Buffer.from([1, 0x80])],
    ["a run of more than 53 bits", "r", Buffer.from([1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ["a varint that never ends", "r", Buffer.concat([long.fill(0x80), Buffer.from([1])])],
    ["a layout that we do not know", "x", Buffer.from([1, 1])],
    ["nothing deflated", "zr", Buffer.from([0xff, 0xff])],
    ["a zip bomb of runs", "zr", deflateRawSync(Buffer.alloc(100_000_000, 1))],
    ["a zip bomb of bits", "zb", deflateRawSync(Buffer.alloc(16_385, 0x55))],
    ["a megabyte of bits", "b", Buffer.alloc(1_000_000, 0xff)],
  ])("is nothing with %s", (_what, name, body) => {
    expect(decodeRanges(forged(name, body, 5), 5)).toBeNull();
  });

  it("is nothing where its bits end beyond what is an offset", () => {
    const offset = Number.MAX_SAFE_INTEGER - 4;
    expect(decodeRanges(forged("b", Buffer.from([0b1]), offset), offset)).toBeNull();
  });

  it("may have a run as long as offsets go: that takes no memory", () => {
    const ranges = [{ from: 2, to: 2 ** 53 - 1 }];
    expect(decodeRanges(encodeRanges(ranges, 1), 1)).toEqual(ranges);
  });

  it.each([
    ["at the offset", [{ from: 10, to: 12 }]],
    ["below it", [{ from: 3, to: 4 }]],
    ["empty", [{ from: 12, to: 12 }]],
    ["touching", [12, 14].map((from) => ({ from, to: from + 2 }))],
    ["unsorted", [20, 12].map((from) => ({ from, to: from + 2 }))],
    ["no integers", [{ from: 12.5, to: 14 }]],
    ["not safe", [{ from: 12, to: 2 ** 53 }]],
    ["not a number", [{ from: Number.NaN, to: 14 }]],
  ])("is refused for ranges that are %s", (_what, ranges) => {
    expect(() => encodeRanges(ranges, 10)).toThrow(RangeError);
  });
});

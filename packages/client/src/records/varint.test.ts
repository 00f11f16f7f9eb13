import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from "./varint.ts";

/** The definition, in BigInt: zigzag, then seven bits a byte. */
function reference(value: number): number[] {
  let zigzag = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; zigzag > 0x7fn; zigzag >>= 7n) bytes.push(Number(zigzag & 0x7fn) | 0x80);
  bytes.push(Number(zigzag));
  return bytes;
}

describe("varints", () => {
  it("are written as their definition says, and as long as their size says", () => {
    const buffer = Buffer.alloc(16);
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const end = writeVarint(buffer, 3, value);
        expect([...buffer.subarray(3, end)]).toEqual(reference(value));
        expect(sizeOfVarint(value)).toBe(end - 3);
      }),
    );
  });
});

describe("varlongs", () => {
  it("are written as their definition says, and as long as their size says, up to the largest safe integer", () => {
    const buffer = Buffer.alloc(16);
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer()), (value) => {
        const end = writeVarlong(buffer, 3, value);
        expect([...buffer.subarray(3, end)]).toEqual(reference(value));
        expect(sizeOfVarlong(value)).toBe(end - 3);
      }),
      {
        examples: [0, -1, 63, 64, -64, -65, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER].map((value) => [value]),
      },
    );
  });
});

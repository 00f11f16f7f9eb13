import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SerdeError } from "./errors.ts";
import { doubleSerde, int32Serde, int64Serde } from "./number-serdes.ts";
import type { Serde } from "./serde.ts";

const hex = (bytes: Uint8Array | string): string => Buffer.from(bytes as Uint8Array).toString("hex");

function expectRoundTrip(serde: Serde<number>, value: number, before: number): void {
  const bytes = Buffer.from(serde.serialize("t", value) as Uint8Array);
  const source = Buffer.concat([Buffer.alloc(before, 0xee), bytes, Buffer.alloc(3, 0xee)]);
  expect(serde.deserialize("t", bytes)).toBe(value);
  expect(serde.deserializeRange?.("t", source, before, before + bytes.length)).toBe(value);
}

const safeIntegers = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 32, -(2 ** 32)));

// The bytes are those of Java's ByteBuffer.putInt, putLong and putDouble, which Kafka's serializers write.
const goldens: [string, Serde<number>, number, string][] = [
  ["int32", int32Serde, 0, "00000000"],
  ["int32", int32Serde, 1, "00000001"],
  ["int32", int32Serde, -1, "ffffffff"],
  ["int32", int32Serde, 2_147_483_647, "7fffffff"],
  ["int32", int32Serde, -2_147_483_648, "80000000"],
  ["int64", int64Serde, 0, "0000000000000000"],
  ["int64", int64Serde, 1, "0000000000000001"],
  ["int64", int64Serde, -1, "ffffffffffffffff"],
  ["int64", int64Serde, 4_294_967_296, "0000000100000000"],
  ["int64", int64Serde, -4_294_967_296, "ffffffff00000000"],
  ["int64", int64Serde, 1_700_000_000_000, "0000018bcfe56800"],
  ["int64", int64Serde, Number.MAX_SAFE_INTEGER, "001fffffffffffff"],
  ["int64", int64Serde, Number.MIN_SAFE_INTEGER, "ffe0000000000001"],
  ["double", doubleSerde, 0, "0000000000000000"],
  ["double", doubleSerde, -0, "8000000000000000"],
  ["double", doubleSerde, 1, "3ff0000000000000"],
  ["double", doubleSerde, -2.5, "c004000000000000"],
  ["double", doubleSerde, 0.1, "3fb999999999999a"],
  ["double", doubleSerde, Number.MIN_VALUE, "0000000000000001"],
  ["double", doubleSerde, Infinity, "7ff0000000000000"],
  ["double", doubleSerde, -Infinity, "fff0000000000000"],
  ["double", doubleSerde, NaN, "7ff8000000000000"],
];

describe("the number serdes", () => {
  it.each(goldens)("write and read %s as Java does (%#)", (_name, serde, value, bytes) => {
    expect(hex(serde.serialize("t", value))).toBe(bytes);
    expect(serde.deserialize("t", Buffer.from(bytes, "hex"))).toBe(value);
  });

  it("read the 32-bit integers they wrote", () => {
    fc.assert(fc.property(fc.integer(), fc.nat(9), (value, before) => expectRoundTrip(int32Serde, value, before)));
  });

  it("read the 64-bit integers they wrote, in the bytes a BigInt would give", () => {
    fc.assert(
      fc.property(safeIntegers, fc.nat(9), (value, before) => {
        expectRoundTrip(int64Serde, value, before);
        const expected = Buffer.alloc(8);
        expected.writeBigInt64BE(BigInt(value));
        expect(hex(int64Serde.serialize("t", value))).toBe(expected.toString("hex"));
      }),
    );
  });

  it("read the doubles they wrote", () => {
    fc.assert(fc.property(fc.double(), fc.nat(9), (value, before) => expectRoundTrip(doubleSerde, value, before)));
  });

  it("refuse every 64-bit integer that a number cannot hold, and no other", () => {
    const int64s = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-(2n ** 54n), 2n ** 54n));
    const edges = [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n];
    const values = fc.oneof(int64s, fc.constantFrom(...edges, ...edges.map((edge) => -edge), -(2n ** 63n)));
    fc.assert(
      fc.property(values, (value) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64BE(value);
        if (value > -(2n ** 53n) && value < 2n ** 53n) expect(int64Serde.deserialize("t", bytes)).toBe(Number(value));
        else expect(() => int64Serde.deserialize("t", bytes)).toThrow(SerdeError);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["int32", int32Serde, [1.5, 2 ** 31, -(2 ** 31) - 1, NaN, Infinity, "1", 1n, undefined]],
    ["int64", int64Serde, [1.5, 2 ** 53, -(2 ** 53), NaN, Infinity, "1", 1n]],
    ["double", doubleSerde, ["1", 1n, {}]],
  ])("refuse to write as %s what does not fit", (_name, serde, values) => {
    for (const value of values) {
      expect(() => serde.serialize("orders", value as number), inspect(value)).toThrow(SerdeError);
    }
  });

  it.each([
    ["int32", int32Serde, 4],
    ["int64", int64Serde, 8],
    ["double", doubleSerde, 8],
  ])("refuse to read as %s bytes of another length", (_name, serde, size) => {
    for (const length of [0, size - 1, size + 1]) {
      expect(() => serde.deserialize("orders", Buffer.alloc(length))).toThrow(
        `${size} bytes were expected, got ${length}`,
      );
      expect(() => serde.deserializeRange?.("orders", Buffer.alloc(32), 4, 4 + length)).toThrow(SerdeError);
    }
  });
});

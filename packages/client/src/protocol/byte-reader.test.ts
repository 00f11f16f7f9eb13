import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ByteReader, readInt64 } from "./byte-reader.ts";
import { ByteWriter, writeInt64 } from "./byte-writer.ts";

function reread(writer: ByteWriter): ByteReader {
  return new ByteReader(writer.finish());
}

describe("ByteReader and ByteWriter", () => {
  it("read back every fixed-size number that was written", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -0x80, max: 0x7f }),
        fc.integer({ min: -0x8000, max: 0x7fff }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer(),
        fc.nat({ max: 0xffff_ffff }),
        fc.maxSafeInteger(),
        fc.double(),
        fc.boolean(),
        (i8, i16, u16, i32, u32, i64, f64, flag) => {
          const writer = new ByteWriter(1);
          writer.int8(i8).int16(i16).uint16(u16).int32(i32).uint32(u32).int64(i64).float64(f64).boolean(flag);
          const reader = reread(writer);
          expect([reader.int8(), reader.int16(), reader.uint16(), reader.int32(), reader.uint32()]).toEqual([
            i8,
            i16,
            u16,
            i32,
            u32,
          ]);
          expect(reader.int64()).toBe(i64);
          expect(reader.float64()).toBe(f64);
          expect(reader.boolean()).toBe(flag);
          expect(reader.remaining).toBe(0);
        },
      ),
    );
  });

  it("read back strings and bytes in every form, null and non-ASCII ones too", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.option(fc.string({ unit: "binary" })),
        fc.option(fc.uint8Array()),
        (text, maybeText, maybeBytes) => {
          const writer = new ByteWriter(4);
          writer.string(text).nullableString(maybeText).compactString(text).compactNullableString(maybeText);
          writer.bytes(maybeBytes).compactBytes(maybeBytes);
          const bytes = maybeBytes === null ? null : Buffer.from(maybeBytes);
          const reader = reread(writer);
          expect(reader.string()).toBe(text);
          expect(reader.nullableString()).toBe(maybeText);
          expect(reader.compactString()).toBe(text);
          expect(reader.compactNullableString()).toBe(maybeText);
          expect(reader.bytes()).toEqual(bytes);
          expect(reader.compactBytes()).toEqual(bytes);
          expect(reader.remaining).toBe(0);
        },
      ),
    );
  });

  it("read back varints", () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffff_ffff }), fc.integer(), (unsigned, signed) => {
        const reader = reread(new ByteWriter(1).uvarint(unsigned).varint(signed));
        expect(reader.uvarint()).toBe(unsigned);
        expect(reader.varint()).toBe(signed);
      }),
    );
  });

  it("read back arrays, and tell a null one from an empty one where asked to", () => {
    const writer = new ByteWriter();
    const item = (w: ByteWriter, value: number): unknown => w.int16(value);
    writer.array([1, 2], item).compactArray([3, 4], item).array(null, item).compactArray(null, item);
    writer.array(null, item).compactArray(null, item).array([], item).compactArray([], item);
    const reader = reread(writer);
    const read = (r: ByteReader): number => r.int16();
    expect([reader.array(read), reader.compactArray(read)]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([reader.nullableArray(read), reader.compactNullableArray(read)]).toEqual([null, null]);
    expect([reader.array(read), reader.compactArray(read)]).toEqual([[], []]);
    expect([reader.nullableArray(read), reader.compactNullableArray(read)]).toEqual([[], []]);
  });

  it("read back a UUID", () => {
    const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    expect(reread(new ByteWriter().uuid(uuid)).uuid()).toBe(uuid);
    expect(() => new ByteWriter().uuid("0f8f")).toThrow(RangeError);
  });
});

describe("ByteReader", () => {
  it("steps over tagged fields, and hands them out when asked", () => {
    const bytes = new ByteWriter().uvarint(2).uvarint(0).uvarint(2).int16(7).uvarint(9).uvarint(1).int8(1).int8(42);
    const written = bytes.finish();
    expect(new ByteReader(written).skipTags().int8()).toBe(42);
    const seen: [number, number][] = [];
    const reader = new ByteReader(written).tags((tag, field) => seen.push([tag, field.remaining]));
    expect(seen).toEqual([
      [0, 2],
      [9, 1],
    ]);
    expect(reader.int8()).toBe(42);
    expect(reread(new ByteWriter().tags()).skipTags().remaining).toBe(0);
  });

  it("refuses an int64 that a number does not hold exactly", () => {
    const buffer = Buffer.alloc(8);
    for (const unsafe of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      buffer.writeBigInt64BE(unsafe);
      expect(() => readInt64(buffer, 0)).toThrow(`${unsafe} at position 0 is not a safe integer`);
    }
    for (const safe of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1, 0]) {
      buffer.writeBigInt64BE(BigInt(safe));
      expect(readInt64(buffer, 0)).toBe(safe);
    }
  });

  it("refuses to read past the end, whatever it reads", () => {
    const cut = new ByteWriter().int16(5).int8(1).finish();
    expect(() => new ByteReader(cut).string()).toThrow(RangeError);
    expect(() => new ByteReader(cut).int32()).toThrow(RangeError);
    expect(() => new ByteReader(Buffer.of(0xff)).uvarint()).toThrow(RangeError);
    expect(() => new ByteReader(Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x01)).uvarint()).toThrow(RangeError);
    expect(() => new ByteReader(Buffer.of(9)).compactBytes()).toThrow(RangeError);
  });

  it("refuses null where the protocol has a string", () => {
    expect(() => new ByteReader(Buffer.of(0xff, 0xff)).string()).toThrow("null where the protocol has a string");
    expect(() => new ByteReader(Buffer.of(0)).compactString()).toThrow("null where the protocol has a string");
  });
});

describe("ByteWriter", () => {
  it("writes an int64 as Node's BigInt methods do, from numbers and bigints", () => {
    const mine = Buffer.alloc(8);
    const theirs = Buffer.alloc(8);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        theirs.writeBigInt64BE(BigInt(value));
        writeInt64(mine, value, 0);
        expect(mine).toEqual(theirs);
        writeInt64(mine, BigInt(value), 0);
        expect(mine).toEqual(theirs);
      }),
    );
    expect(() => writeInt64(mine, 2 ** 53, 0)).toThrow(RangeError);
    expect(() => writeInt64(mine, 1.5, 0)).toThrow(RangeError);
  });

  it("refuses numbers that do not fit", () => {
    expect(() => new ByteWriter().uvarint(-1)).toThrow(RangeError);
    expect(() => new ByteWriter().uvarint(2 ** 32)).toThrow(RangeError);
    expect(() => new ByteWriter().int16(40_000)).toThrow(RangeError);
  });

  it("grows as far as it has to, and keeps what was written", () => {
    const writer = new ByteWriter(1).int8(1).raw(Buffer.alloc(5_000, 2));
    expect(writer.length).toBe(5_001);
    expect(writer.finish()).toEqual(Buffer.concat([Buffer.of(1), Buffer.alloc(5_000, 2)]));
  });
});

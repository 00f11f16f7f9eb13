import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Arena, readInt64, readStoredValue, sealedValue, writeInt64 } from "./arena.ts";
import { NEVER } from "./stored-value.ts";

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const timestamps = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-1, 0, Date.UTC(2026, 10, 24)));
const expiries = fc.oneof(fc.constant(NEVER), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));

describe("Arena", () => {
  it("gives back what was written, and so does what the engine stores", () => {
    const arena = new Arena();
    fc.assert(
      fc.property(
        bytes,
        fc.oneof(bytes, fc.string({ unit: "binary" })),
        timestamps,
        expiries,
        (key, value, timestamp, expiresAt) => {
          const written = arena.write(key, key.length, value, timestamp, expiresAt);
          expect(written.buffer.subarray(written.keyStart, written.keyEnd)).toEqual(key);
          const expected = typeof value === "string" ? Buffer.from(value) : value;
          expect(written.bytes()).toEqual(expected);
          const read = readStoredValue(key, Buffer.from(sealedValue(written)));
          expect(read?.bytes()).toEqual(expected);
          expect(read?.timestamp).toBe(timestamp);
          expect(read?.expiresAt).toBe(expiresAt);
          expect(written.isDeleted).toBe(false);
        },
      ),
    );
  });

  it("keeps values apart, also beyond a chunk and when one is larger than a chunk", () => {
    const arena = new Arena();
    const written = Array.from({ length: 2_000 }, (_, index) => {
      const value = Buffer.alloc(index === 1_000 ? 300_000 : 300, index);
      return { value, stored: arena.write(Buffer.from(`k${index}`), `k${index}`.length, value, index, NEVER) };
    });
    for (const { value, stored } of written) expect(stored.bytes().equals(value)).toBe(true);
    expect(arena.bytes).toBeGreaterThan(2_000 * 300 + 300_000);
  });

  it("marks a deleted value, which has no bytes", () => {
    const deleted = new Arena().write(Buffer.from("key"), 3, null, 5, NEVER);
    expect(deleted.isDeleted).toBe(true);
    expect(deleted.buffer.toString("latin1", deleted.keyStart, deleted.keyEnd)).toBe("key");
  });
});

describe("readStoredValue", () => {
  it("refuses a value of which any bit is another, also of its key", () => {
    const key = Buffer.from("route");
    const stored = Buffer.from(sealedValue(new Arena().write(key, key.length, "value", 1, 2)));
    for (let bit = 0; bit < (key.length + stored.length) * 8; bit++) {
      const whole = Buffer.concat([key, stored]);
      whole[bit >>> 3]! ^= 1 << (bit & 7);
      expect(readStoredValue(whole.subarray(0, key.length), whole.subarray(key.length))).toBeNull();
    }
    expect(readStoredValue(key, stored)?.bytes().toString()).toBe("value");
  });

  it("refuses what is cut short, and nothing at all", () => {
    const key = Buffer.from("route");
    const stored = Buffer.from(sealedValue(new Arena().write(key, key.length, "value", 1, NEVER)));
    for (let length = 0; length < stored.length; length++) {
      expect(readStoredValue(key, stored.subarray(0, length))).toBeNull();
    }
  });
});

describe("writeInt64", () => {
  it("writes as Buffer does with bigints", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const written = Buffer.alloc(8);
        writeInt64(written, value, 0);
        expect(written.readBigInt64BE()).toBe(BigInt(value));
        expect(readInt64(written, 0)).toBe(value);
      }),
    );
  });
});

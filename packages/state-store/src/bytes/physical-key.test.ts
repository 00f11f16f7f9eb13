import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyId, PhysicalKey, PLAIN_PREFIX_BYTES, SEGMENTED_PREFIX_BYTES } from "./physical-key.ts";

describe("PhysicalKey", () => {
  /** Any UTF-16, halves of surrogate pairs too. */
  const text = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
  const prefix = fc.constantFrom(PLAIN_PREFIX_BYTES, SEGMENTED_PREFIX_BYTES);

  it("is the same for a text and for its bytes, whatever was in it before", () => {
    fc.assert(
      fc.property(text, text, prefix, (value, before, prefixBytes) => {
        const key = new PhysicalKey(prefixBytes);
        key.set(before);
        key.set(value);
        const other = new PhysicalKey(prefixBytes);
        other.set(Buffer.from(value));
        expect(key.bytes().subarray(prefixBytes)).toEqual(Buffer.from(value));
        if (prefixBytes === PLAIN_PREFIX_BYTES) expect(key.id).toBe(other.id);
        expect(key.id).toBe(keyId(key.bytes()));
      }),
    );
  });

  it("has an id that sorts as its bytes do", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const [first, second] = [a, b].map((bytes) => {
          const key = new PhysicalKey(PLAIN_PREFIX_BYTES);
          key.set(bytes);
          return { id: key.id, bytes: Buffer.from(key.bytes()) };
        }) as [{ id: string; bytes: Buffer }, { id: string; bytes: Buffer }];
        const byId = first.id < second.id ? -1 : first.id > second.id ? 1 : 0;
        expect(byId).toBe(first.bytes.compare(second.bytes));
      }),
    );
  });

  it("holds keys longer than its buffer, and shorter ones after them", () => {
    const key = new PhysicalKey(PLAIN_PREFIX_BYTES);
    for (const length of [0, 255, 256, 100_000, 3]) {
      const bytes = Buffer.alloc(length, 0xff);
      key.set(bytes);
      expect(key.bytes()).toEqual(Buffer.concat([Buffer.of(1), bytes]));
      key.setRange(bytes, 0, bytes.length);
      key.seal();
      expect(key.id).toBe(keyId(key.bytes()));
    }
  });
});

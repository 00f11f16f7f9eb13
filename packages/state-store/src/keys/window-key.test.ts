import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  MAX_SEQNUM,
  readSeqnum,
  readWindowStart,
  WINDOW_SUFFIX_BYTES,
  WindowRange,
  writeWindowSuffix,
} from "./window-key.ts";

/** Of few different bytes, so that they begin one another, and begin as timestamps do. */
const keys = fc
  .array(fc.constantFrom(0x00, 0x00, 0x01, 0x7f, 0xff), { maxLength: 4 })
  .map((bytes) => Buffer.from(bytes));
const starts = fc.oneof(
  fc.constantFrom(0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 48 + 1, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat(),
);
const seqnums = fc.oneof(fc.constantFrom(0, MAX_SEQNUM), fc.nat(MAX_SEQNUM));

function windowKey(key: Buffer, start: number, seqnum: number): Buffer {
  const bytes = Buffer.concat([key, Buffer.alloc(WINDOW_SUFFIX_BYTES)]);
  expect(writeWindowSuffix(bytes, key.length, start, seqnum)).toBe(bytes.length);
  return bytes;
}

/** Whether a key is between a range's bounds of its segment: written behind other bytes, as they are in a store. */
function isBetweenBounds(range: WindowRange, bytes: Buffer): boolean {
  const target = Buffer.alloc(9 + range.maxBoundBytes, 0xee);
  const lower = Buffer.from(target.subarray(9, range.writeLowerBound(target, 9)));
  const upperEnd = range.writeUpperBound(target, 9);
  expect(target.subarray(0, 9)).toEqual(Buffer.alloc(9, 0xee));
  return lower.compare(bytes) <= 0 && (upperEnd === 9 || target.subarray(9, upperEnd).compare(bytes) >= 0);
}

describe("a window's key", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(keys, starts, seqnums, (key, start, seqnum) => {
        const bytes = windowKey(key, start, seqnum);
        expect(bytes.subarray(0, bytes.length - WINDOW_SUFFIX_BYTES)).toEqual(key);
        expect(readWindowStart(bytes, bytes.length)).toBe(start);
        expect(readSeqnum(bytes, bytes.length)).toBe(seqnum);
      }),
    );
  });

  it("sorts by window start and then by sequence number among those of one key", () => {
    fc.assert(
      fc.property(keys, starts, seqnums, starts, seqnums, (key, start, seqnum, otherStart, otherSeqnum) => {
        expect(windowKey(key, start, seqnum).compare(windowKey(key, otherStart, otherSeqnum))).toBe(
          Math.sign(start - otherStart || seqnum - otherSeqnum),
        );
      }),
    );
  });
});

describe("a range of windows", () => {
  const bounds = fc.oneof(starts, fc.constantFrom(-1, Infinity));

  it("of one key has the key's windows of its times between its bounds, and matches no others there", () => {
    fc.assert(
      fc.property(keys, bounds, bounds, fc.option(keys), starts, seqnums, (of, from, to, other, start, seqnum) => {
        const range = new WindowRange(of, of, from, to);
        const key = other ?? of;
        const bytes = windowKey(key, start, seqnum);
        const isMeant = key.equals(of) && start >= from && start <= to;
        expect(isBetweenBounds(range, bytes) && range.matches(bytes, 0, bytes.length)).toBe(isMeant);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of all keys between two, or beyond one, has their windows of its times between its bounds, and matches no others", () => {
    const open = fc.option(keys, { freq: 5 });
    fc.assert(
      fc.property(open, open, bounds, bounds, keys, starts, seqnums, (keyFrom, keyTo, from, to, key, start, seqnum) => {
        const range = new WindowRange(keyFrom, keyTo, from, to);
        const bytes = windowKey(key, start, seqnum);
        const isMeant =
          (keyFrom === null || keyFrom.compare(key) <= 0) &&
          (keyTo === null || keyTo.compare(key) >= 0) &&
          start >= from &&
          start <= to;
        if (isMeant) expect(isBetweenBounds(range, bytes)).toBe(true);
        if (isBetweenBounds(range, bytes)) expect(range.matches(bytes, 0, bytes.length)).toBe(isMeant);
      }),
      { numRuns: 5_000 },
    );
  });

  it("matches a key that lies behind other bytes", () => {
    const range = new WindowRange(Buffer.from("k"), Buffer.from("k"), 5, 5);
    const bytes = Buffer.concat([Buffer.from("before"), windowKey(Buffer.from("k"), 5, 0), Buffer.from("behind")]);
    expect(range.matches(bytes, 6, 6 + 1 + WINDOW_SUFFIX_BYTES)).toBe(true);
  });

  it("says which times to search: none before the epoch, and none beyond the largest safe integer", () => {
    const range = new WindowRange(null, null, -5, Infinity);
    expect([range.firstTimestamp, range.lastTimestamp]).toEqual([0, Number.MAX_SAFE_INTEGER]);
  });
});

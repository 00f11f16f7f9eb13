import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readInt64, writeInt64 } from "../bytes/arena.ts";
import { endOfSegment, oldestLiveSegment, segmentIdOf } from "./segments.ts";

const timestamps = fc.maxSafeNat();
const intervals = fc.integer({ min: 1, max: 2 ** 40 });

describe("segments", () => {
  it("each hold an interval, from a multiple of it on", () => {
    fc.assert(
      fc.property(timestamps, intervals, (timestamp, interval) => {
        expect(BigInt(segmentIdOf(timestamp, interval))).toBe(BigInt(timestamp) / BigInt(interval));
      }),
    );
    expect(endOfSegment(0, 60_000)).toBe(59_999);
    expect(segmentIdOf(endOfSegment(7, 60_000), 60_000)).toBe(7);
    expect(segmentIdOf(endOfSegment(7, 60_000) + 1, 60_000)).toBe(8);
  });

  it("have ids whose bytes sort as they do", () => {
    const bytes = (id: number): Buffer => {
      const buffer = Buffer.alloc(8);
      writeInt64(buffer, id, 0);
      expect(readInt64(buffer, 0)).toBe(id);
      return buffer;
    };
    fc.assert(
      fc.property(timestamps, timestamps, (one, other) => {
        expect(bytes(one).compare(bytes(other))).toBe(Math.sign(one - other));
      }),
    );
  });

  it("live as long as some of what they hold is within the retention", () => {
    expect(oldestLiveSegment(599_999, 300_000, 60_000)).toBe(4);
    expect(oldestLiveSegment(600_000, 300_000, 60_000)).toBe(5);
  });

  it("are none before the epoch, whatever stream time is", () => {
    expect(segmentIdOf(-1, 60_000)).toBeLessThan(oldestLiveSegment(-1, 300_000, 60_000));
    expect(oldestLiveSegment(-1, 300_000, 60_000)).toBe(0);
  });
});

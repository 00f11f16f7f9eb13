import { decodeOffsetMetadata } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompletionTracker } from "./completion-tracker.ts";
import { commitMetadata, isNearlyFull } from "./offset-map-budget.ts";

/** Everything handed out from `first` on: gaps stay in flight, runs are completed. */
function trackerOf(first: number, lengths: Iterable<readonly [gap: number, run: number]>): CompletionTracker {
  const tracker = new CompletionTracker(first, []);
  let offset = first;
  for (const [gap, run] of lengths) {
    for (let step = 0; step < gap; step++) tracker.started(offset++);
    for (let step = 0; step < run; step++) {
      tracker.started(offset);
      tracker.completed(offset++);
    }
  }
  return tracker;
}

function scattered(count: number, maxRun: number): CompletionTracker {
  let seed = 42;
  const lengths = Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return [1 + ((seed >>> 8) % 3), 1 + ((seed >>> 12) % maxRun)] as const;
  });
  return trackerOf(1_000_000, lengths);
}

const lengths = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 60 }));
const trackers = fc
  .tuple(
    fc.nat(2 ** 40),
    fc.oneof(
      fc.array(lengths, { maxLength: 60 }),
      fc.array(lengths, { minLength: 1_500, maxLength: 3_500, size: "max" }),
    ),
  )
  .map(([first, pairs]) => trackerOf(first, pairs));
const ids = fc.string({ maxLength: 300, unit: "grapheme" });

describe("the offset map's budget", () => {
  it("never has more than 4,096 bytes, nor anything in it that is not completed", () => {
    let cut = 0;
    fc.assert(
      fc.property(trackers, ids, (tracker, transactionalId) => {
        const text = commitMetadata(tracker, { transactionalId });
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
        const metadata = decodeOffsetMetadata(text, tracker.position);
        expect(metadata?.transactionalId).toBe(transactionalId);
        const kept = metadata?.completed ?? [];
        // The lowest ones, each whole.
        expect(kept).toEqual(tracker.ranges().slice(0, kept.length));
        if (kept.length === tracker.rangeCount) return;
        cut++;
        expect(Buffer.byteLength(text)).toBeGreaterThan(4_000);
      }),
      { numRuns: 30 },
    );
    expect(cut).toBeGreaterThan(0);
  });

  // Every other record in flight: deflated it is next to nothing, and a reader inflates only so much.
  it("writes no map that a reader would not take", () => {
    const tracker = trackerOf(
      7,
      Array.from({ length: 70_000 }, () => [1, 1] as const),
    );
    const kept = decodeOffsetMetadata(commitMetadata(tracker, {}), 7)?.completed ?? [];
    expect(kept.length).toBeGreaterThan(60_000);
    expect(kept).toEqual(tracker.ranges().slice(0, kept.length));
    expect(isNearlyFull(tracker)).toBe(true);
  });

  it("says when three quarters are taken, exactly", () => {
    fc.assert(
      fc.property(trackers, (tracker) => {
        const whole = decodeOffsetMetadata(commitMetadata(tracker, {}), tracker.position)?.completed ?? [];
        const isCut = whole.length < tracker.rangeCount;
        expect(isNearlyFull(tracker)).toBe(isCut || Buffer.byteLength(commitMetadata(tracker, {})) > 3_072);
      }),
      { numRuns: 30 },
    );
  });

  it("is never nearly full with a single slow record, however far the others are", () => {
    expect(isNearlyFull(trackerOf(0, [[1, 1_000_000]]))).toBe(false);
  });

  it.each([
    ["a few thousand ranges of some length", scattered(4_000, 500), true],
    ["a few hundred of them", scattered(300, 500), false],
    ["many short ones within few offsets", scattered(2_000, 8), false],
    ["as many in flight as completed", scattered(7_000, 3), true],
    ["many short ones", scattered(8_000, 8), true],
  ])("is or is not nearly full with %s", (_what, tracker, nearlyFull) => {
    expect(isNearlyFull(tracker)).toBe(nearlyFull);
  });

  it("leaves the map out when there is nothing in it", () => {
    expect(commitMetadata(trackerOf(5, [[3, 0]]), {})).toBe("eos1:{}");
    expect(commitMetadata(new CompletionTracker(5, []), { transactionalId: "a" })).toBe('eos1:{"transactionalId":"a"}');
  });

  it("leaves the map out when the rest takes all the room", () => {
    const room = 4_096 - 'eos1:{"transactionalId":""}'.length;
    const tracker = trackerOf(5, [[1, 1]]);
    const text = commitMetadata(tracker, { transactionalId: "x".repeat(room) });
    expect(decodeOffsetMetadata(text, 5)).toEqual({ transactionalId: "x".repeat(room) });
    expect(() => commitMetadata(tracker, { transactionalId: "x".repeat(room + 1) })).toThrow(RangeError);
  });
});

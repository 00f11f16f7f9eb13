import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EndOffsetHistory, type EndOffsetPoint, lagSeconds } from "./end-offset-history.ts";

const points: readonly EndOffsetPoint[] = [
  { timeMs: 10_000, endOffset: 100 },
  { timeMs: 20_000, endOffset: 200 },
  { timeMs: 30_000, endOffset: 200 },
  { timeMs: 40_000, endOffset: 300 },
];

describe("lagSeconds", () => {
  test.each<[what: string, offset: number, seconds: number | null]>([
    ["is 0 at the end", 300, 0],
    ["is 0 beyond it", 301, 0],
    ["is the time since the end stood there", 100, 50],
    ["is drawn between two points", 150, 45],
    ["counts from when the end last stood there: the next record came later", 200, 30],
    ["is drawn from there on", 210, 29],
    ["is unknown before the first point", 99, null],
  ])("%s", (_, offset, seconds) => {
    expect(lagSeconds(points, offset, 60_000)).toBe(seconds);
  });

  test("is unknown without points", () => {
    expect(lagSeconds([], 0, 60_000)).toBeNull();
  });
});

/** What happens between two samples: time passes, records arrive, some of what is there is committed. */
const steps = fc.array(
  fc.record({ passMs: fc.integer({ min: 1, max: 10_000 }), arrive: fc.nat(50), commit: fc.nat(60) }),
  { minLength: 1, maxLength: 200, size: "max" },
);

describe("EndOffsetHistory", () => {
  test("The age is never negative nor above the time watched, 0 exactly when there is no lag, and known from then on.", () => {
    fc.assert(
      fc.property(steps, fc.nat(100), (history, backlog) => {
        const ends = new EndOffsetHistory();
        let nowMs = 0;
        let endOffset = backlog;
        let offset = 0;
        for (const { passMs, arrive, commit } of history) {
          nowMs += passMs;
          endOffset += arrive;
          offset = Math.min(endOffset, offset + commit);
          ends.add({ timeMs: nowMs, endOffset }, offset);
          const seconds = ends.seconds(offset, nowMs);
          if (seconds !== null) {
            expect(seconds).toBeGreaterThanOrEqual(0);
            expect(seconds * 1_000).toBeLessThanOrEqual(nowMs);
          }
          expect(seconds === 0).toBe(offset === endOffset);
          if (offset >= backlog + (history[0]?.arrive ?? 0)) expect(seconds).not.toBeNull();
        }
      }),
    );
  });

  test("The age rises by the time that passes while nothing is committed, however many records arrive.", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 50 }), steps, (before, first, after) => {
        const ends = new EndOffsetHistory();
        let nowMs = 0;
        let endOffset = 0;
        let offset = 0;
        for (const { passMs, arrive, commit } of before) {
          nowMs += passMs;
          endOffset += arrive;
          offset = Math.min(endOffset, offset + commit);
          ends.add({ timeMs: nowMs, endOffset }, offset);
        }
        nowMs += 1_000;
        endOffset += first;
        ends.add({ timeMs: nowMs, endOffset }, offset);
        let previous = ends.seconds(offset, nowMs);
        for (const { passMs, arrive } of after) {
          nowMs += passMs;
          endOffset += arrive;
          ends.add({ timeMs: nowMs, endOffset }, offset);
          const seconds = ends.seconds(offset, nowMs);
          if (previous === null) expect(seconds).toBeNull();
          else expect(seconds).toBeCloseTo(previous + passMs / 1_000, 6);
          previous = seconds;
        }
      }),
    );
  });

  test("It is as exact as all points together would be for the committed offset, as long as it holds all that matter.", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const ends = new EndOffsetHistory();
        const all: EndOffsetPoint[] = [];
        let nowMs = 0;
        let endOffset = 0;
        let offset = 0;
        for (const { passMs, arrive, commit } of history.slice(0, 60)) {
          nowMs += passMs;
          endOffset += arrive;
          offset = Math.min(endOffset, offset + commit);
          all.push({ timeMs: nowMs, endOffset });
          ends.add({ timeMs: nowMs, endOffset }, offset);
          expect(ends.seconds(offset, nowMs)).toBe(lagSeconds(all, offset, nowMs));
        }
      }),
    );
  });

  test("It stays small for a day of lag, and still knows the age within a few percent.", () => {
    const ends = new EndOffsetHistory();
    const everyMs = 5_000;
    for (let i = 0; i <= 17_280; i++) {
      ends.add({ timeMs: i * everyMs, endOffset: i * 7 }, 0);
      expect(ends.size).toBeLessThanOrEqual(64);
    }
    const nowMs = 17_280 * everyMs;
    expect(ends.seconds(0, nowMs)).toBe(86_400);
    for (const i of [1_000, 8_640, 17_000, 17_279]) {
      expect(ends.seconds(i * 7, nowMs)).toBeCloseTo((nowMs - i * everyMs) / 1_000, 3);
    }
  });

  test("It holds one point while the group keeps up, and no more than it must while the end stands.", () => {
    const ends = new EndOffsetHistory();
    for (let i = 0; i < 100; i++) {
      ends.add({ timeMs: i * 1_000, endOffset: i * i }, i * i);
      expect(ends.size).toBe(1);
    }
    for (const [timeMs, endOffset] of [
      [100_000, 10_000],
      [101_000, 20_000],
      [103_000, 20_100],
    ] as const) {
      ends.add({ timeMs, endOffset }, 9_801);
    }
    for (let i = 0; i < 1_000; i++) ends.add({ timeMs: 104_000 + i * 1_000, endOffset: 20_100 }, 9_801);
    expect(ends.size).toBe(5);
    expect(ends.seconds(9_801, 1_103_000)).toBe(1_004);
    expect(ends.seconds(15_000, 1_103_000)).toBe(1_002.5);
    expect(ends.seconds(20_050, 1_103_000)).toBe(1_001);
  });

  test("A topic that was made anew is another log: nothing of the old one counts.", () => {
    const ends = new EndOffsetHistory();
    ends.add({ timeMs: 1_000, endOffset: 100 }, 50);
    ends.add({ timeMs: 2_000, endOffset: 10 }, 0);
    expect(ends.size).toBe(1);
    expect(ends.seconds(0, 3_000)).toBeNull();
    ends.add({ timeMs: 3_000, endOffset: 20 }, 10);
    expect(ends.seconds(10, 4_000)).toBe(2);
  });
});

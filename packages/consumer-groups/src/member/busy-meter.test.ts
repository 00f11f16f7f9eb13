import type { Clock } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BusyMeter } from "./busy-meter.ts";

class SetClock implements Clock {
  ms = 5_000;

  now(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

function setUp() {
  const clock = new SetClock();
  const meter = new BusyMeter(clock);
  const idleFor = (ms: number): void => void (clock.ms += ms);
  const busyFor = (ms: number): void => {
    meter.enter();
    clock.ms += ms;
    meter.leave();
  };
  return { clock, meter, idleFor, busyFor };
}

describe("BusyMeter", () => {
  it("says that a member without anything to do is idle", () => {
    const { meter, idleFor } = setUp();
    expect(meter.idleRatio()).toBe(1);
    idleFor(10_000);
    expect(meter.idleRatio()).toBe(1);
  });

  it("counts time in which several things are in hand once, and what is in hand at the moment", () => {
    const { clock, meter, idleFor } = setUp();
    idleFor(1_000);
    meter.enter();
    meter.enter();
    clock.ms += 1_000;
    meter.leave();
    clock.ms += 1_000;
    expect(meter.idleRatio()).toBeCloseTo(1 / 3);
    meter.leave();
    idleFor(1_000);
    expect(meter.idleRatio()).toBeCloseTo(1 / 2);
  });

  it("forgets within a minute that a member was busy for an hour", () => {
    const { meter, idleFor, busyFor } = setUp();
    busyFor(3_600_000);
    expect(meter.idleRatio()).toBe(0);
    idleFor(60_000);
    expect(meter.idleRatio()).toBe(1);
  });

  it("notices within a minute that a member is busy which was idle for an hour", () => {
    const { meter, idleFor, busyFor } = setUp();
    idleFor(3_600_000);
    for (let second = 0; second < 60; second++) busyFor(1_000);
    expect(meter.idleRatio()).toBe(0);
  });

  it("is the ratio over the last 30 to 60 seconds, whatever happened before", () => {
    const span = fc.record({ isBusy: fc.boolean(), ms: fc.integer({ min: 0, max: 50_000 }), isRead: fc.boolean() });
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 30 }), (spans) => {
        const { clock, meter, idleFor, busyFor } = setUp();
        const startMs = clock.ms;
        const busy: { fromMs: number; toMs: number }[] = [];
        for (const { isBusy, ms, isRead } of spans) {
          const fromMs = clock.ms;
          if (isBusy) busyFor(ms);
          else idleFor(ms);
          if (isBusy) busy.push({ fromMs, toMs: clock.ms });
          if (isRead) meter.idleRatio();
          const windows = Math.floor((clock.ms - startMs) / 30_000);
          const sinceMs = startMs + Math.max(windows - 1, 0) * 30_000;
          const busyMs = busy.reduce(
            (sum, { fromMs: from, toMs }) => sum + Math.max(0, toMs - Math.max(from, sinceMs)),
            0,
          );
          const expected = clock.ms === sinceMs ? 1 : 1 - busyMs / (clock.ms - sinceMs);
          expect(meter.idleRatio()).toBeCloseTo(expected, 9);
        }
      }),
    );
  });
});

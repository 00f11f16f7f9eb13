import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Latency } from "./latency.ts";
import { StoreMetrics } from "./store-metrics.ts";

class TestClock {
  ms = 5_000;
  readings = 0;
  now = (): number => 1_800_000_000_000 + this.ms;
  monotonicMs = (): number => {
    this.readings++;
    return this.ms;
  };
}

function measured(durationsMs: readonly number[]): Latency {
  let ms = 0;
  const latency = new Latency(() => ms, 1);
  for (const durationMs of durationsMs) {
    const begun = latency.begin();
    ms = begun + durationMs;
    latency.end(begun);
    ms = 0;
  }
  return latency;
}

describe("a latency", () => {
  it("is nothing before the first call", () => {
    expect(new Latency(() => 0, 64).snapshot()).toEqual({ count: 0, avgMs: 0, maxMs: 0, p95Ms: 0 });
  });

  it("has the mean and the maximum of what was measured, and a 95th percentile of at most twice the true one", () => {
    const duration = fc.oneof(
      fc.double({ min: 0, max: 0.01, noNaN: true }),
      fc.double({ min: 0, max: 500_000, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 60 }), (durationsMs) => {
        const { count, avgMs, maxMs, p95Ms } = measured(durationsMs).snapshot();
        const sorted = durationsMs.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
        expect(count).toBe(durationsMs.length);
        expect(avgMs).toBeCloseTo(durationsMs.reduce((sum, each) => sum + each, 0) / durationsMs.length, 6);
        expect(maxMs).toBe(Math.max(...durationsMs));
        expect(p95Ms).toBeGreaterThanOrEqual(exact);
        expect(p95Ms).toBeLessThanOrEqual(Math.max(exact * 2.000_001, 0.001));
        expect(p95Ms).toBeLessThanOrEqual(maxMs);
      }),
    );
  });

  it("keeps those beyond its last bucket, as a machine that slept makes them", () => {
    expect(measured([1e9]).snapshot()).toEqual({ count: 1, avgMs: 1e9, maxMs: 1e9, p95Ms: 1e9 });
  });

  it("reads the clock for the first call and every 64th after it, and counts all", () => {
    const clock = new TestClock();
    const latency = new Latency(clock.monotonicMs, 64);
    for (let call = 0; call < 640; call++) {
      const begun = latency.begin();
      clock.ms += call % 64 === 0 ? 2 : 50;
      latency.end(begun);
    }
    expect(latency.snapshot()).toMatchObject({ count: 640, avgMs: 2, maxMs: 2 });
    expect(clock.readings).toBe(20);
  });
});

describe("a store's metrics", () => {
  it("are all 0 at first", () => {
    const { oldestIteratorOpenSinceMs, ...numbers } = new StoreMetrics(new TestClock()).snapshot();
    expect(oldestIteratorOpenSinceMs).toBeNull();
    expect(new Set(Object.values(numbers))).toEqual(new Set([0]));
  });

  it("tell gets, puts and flushes apart", () => {
    const clock = new TestClock();
    const metrics = new StoreMetrics(clock);
    const calls = [
      [metrics.get, 2],
      [metrics.put, 4],
      [metrics.flush, 8],
    ] as const;
    for (const [latency, durationMs] of calls) {
      const begun = latency.begin();
      clock.ms += durationMs;
      latency.end(begun);
    }
    expect(metrics.snapshot()).toMatchObject({
      getTotal: 1,
      getLatencyAvgMs: 2,
      getLatencyMaxMs: 2,
      getLatencyP95Ms: 2,
      putTotal: 1,
      putLatencyAvgMs: 4,
      putLatencyMaxMs: 4,
      putLatencyP95Ms: 4,
      flushTotal: 1,
      flushLatencyAvgMs: 8,
      flushLatencyMaxMs: 8,
      flushLatencyP95Ms: 8,
    });
  });

  it("measure every flush and every iterator", () => {
    const clock = new TestClock();
    const metrics = new StoreMetrics(clock);
    for (const durationMs of [1, 2, 6]) {
      const begun = metrics.flush.begin();
      const mark = metrics.iteratorOpened();
      clock.ms += durationMs;
      metrics.flush.end(begun);
      metrics.iteratorClosed(mark);
    }
    expect(metrics.snapshot()).toMatchObject({
      flushTotal: 3,
      flushLatencyAvgMs: 3,
      flushLatencyMaxMs: 6,
      rangeTotal: 3,
      rangeLatencyAvgMs: 3,
      rangeLatencyMaxMs: 6,
      rangeLatencyP95Ms: 6,
    });
  });

  it("know the open iterators and the oldest of them", () => {
    const clock = new TestClock();
    const metrics = new StoreMetrics(clock);
    const first = metrics.iteratorOpened();
    clock.ms += 10;
    const second = metrics.iteratorOpened();
    const since = 1_800_000_005_000;
    expect(metrics.snapshot()).toMatchObject({ numOpenIterators: 2, oldestIteratorOpenSinceMs: since });
    metrics.iteratorClosed(first);
    metrics.iteratorClosed(first);
    expect(metrics.snapshot()).toMatchObject({ numOpenIterators: 1, oldestIteratorOpenSinceMs: since + 10 });
    metrics.iteratorClosed(second);
    expect(metrics.snapshot()).toMatchObject({
      numOpenIterators: 0,
      oldestIteratorOpenSinceMs: null,
      rangeLatencyAvgMs: 5,
    });
  });

  it("add up bytes, overlay hits, dropped writes, restored records and corruptions", () => {
    const metrics = new StoreMetrics(new TestClock());
    for (let call = 0; call < 4; call++) metrics.get.end(metrics.get.begin());
    metrics.cacheHit();
    metrics.expired();
    metrics.written(100);
    metrics.written(20);
    metrics.restored(10, 25);
    metrics.restored(20, 5);
    metrics.corrupted();
    metrics.corrupted();
    expect(metrics.snapshot()).toMatchObject({
      getTotal: 4,
      cacheHits: 1,
      expiredTotal: 1,
      hitRatio: 0.25,
      bytesWritten: 120,
      restoreTotal: 30,
      restoreRemainingRecords: 5,
      corruptionTotal: 2,
    });
  });
});

import { describe, expect, it } from "vitest";
import { type MemorySample, memoryTrend } from "./memory-trend.ts";

const MEGABYTE = 1024 * 1024;

function samples(count: number, rssMegabytesAt: (second: number) => number): MemorySample[] {
  return Array.from({ length: count }, (_, second) => ({
    atMs: second * 1_000,
    rss: rssMegabytesAt(second) * MEGABYTE,
    heapUsed: rssMegabytesAt(second) * 0.5 * MEGABYTE,
    arrayBuffers: second * MEGABYTE,
    handled: second * 700,
  }));
}

describe("memoryTrend", () => {
  it("sees the growth of a leak and how steep it is", () => {
    const trend = memoryTrend(samples(100, (second) => 100 + second));
    expect(trend.slopeMegabytesPerMinute).toBeCloseTo(60);
    expect(trend.firstRssMegabytes).toBeCloseTo(104.5);
    expect(trend.lastRssMegabytes).toBeCloseTo(194.5);
    expect(trend.growth).toBeCloseTo(194.5 / 104.5);
    expect(trend.lastHeapMegabytes - trend.firstHeapMegabytes).toBeCloseTo(45);
  });

  it("is not misled by a single peak", () => {
    const trend = memoryTrend(samples(100, (second) => (second === 95 ? 500 : 100)));
    expect(trend.growth).toBe(1);
  });

  it("counts records over the time between first and last sample", () => {
    const trend = memoryTrend(samples(11, () => 100));
    expect(trend.recordsPerSecond).toBe(700);
    expect(trend.maxBuffersMegabytes).toBe(10);
  });

  it("refuses what has no trend", () => {
    expect(() => memoryTrend(samples(1, () => 100))).toThrow("More samples");
  });
});

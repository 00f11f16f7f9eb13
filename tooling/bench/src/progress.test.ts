import { describe, expect, it } from "vitest";
import { throughputOf } from "./progress.ts";

const first = { atMs: 1_500, done: 50_000, cpuSeconds: 1, brokerCpuSeconds: 5 };
const from = { atMs: 2_000, done: 100_000, cpuSeconds: 1.5, brokerCpuSeconds: 5.2 };
const end = { atMs: 4_000, done: 1_000_000, cpuSeconds: 3.3, brokerCpuSeconds: 6.1 };

describe("throughputOf", () => {
  it("counts records, time and CPU only from the first sample past 10 % on", () => {
    const throughput = throughputOf({ startedAtMs: 1_000, first, from, end, peakRssMegabytes: 80 });
    expect(throughput.recordsPerSecond).toBeCloseTo(450_000);
    expect(throughput.cpuSecondsPerMillion).toBeCloseTo(2);
    expect(throughput.brokerCpuSecondsPerMillion).toBeCloseTo(1);
    expect(throughput.cores).toBeCloseTo(0.9);
    expect(throughput.firstProgressMs).toBe(500);
    expect(throughput.totalMs).toBe(3_000);
  });

  it("refuses a run that was over at its first sample", () => {
    expect(() => throughputOf({ startedAtMs: 0, first: end, from: end, end, peakRssMegabytes: 80 })).toThrow(
      "more are needed",
    );
  });
});

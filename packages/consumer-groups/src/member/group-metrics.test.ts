import { describe, expect, it } from "vitest";
import { GroupMetrics } from "./group-metrics.ts";

describe("GroupMetrics", () => {
  it("is all zeros before anything has happened, without a division by zero", () => {
    expect(new GroupMetrics().snapshot(1_000, 0, [])).toEqual({
      recordsConsumedTotal: 0,
      recordsFailedTotal: 0,
      recordsSkippedTotal: 0,
      recordsDeadLetteredTotal: 0,
      recordsInFlight: 0,
      commitTotal: 0,
      commitRefusedTotal: 0,
      commitLatencyAvgMs: 0,
      commitLatencyMaxMs: 0,
      rebalanceTotal: 0,
      rebalanceLatencyAvgMs: 0,
      rebalanceLatencyMaxMs: 0,
      lastRebalanceSecondsAgo: null,
      memberFailedTotal: 0,
      pollIdleRatioAvg: 1,
    });
  });

  it("gives totals, averages and maxima of what was counted", () => {
    const metrics = new GroupMetrics();
    Object.assign(metrics, {
      consumed: 9,
      failed: 3,
      skipped: 2,
      deadLettered: 1,
      commitsRefused: 4,
      membersFailed: 5,
    });
    for (const ms of [10, 30]) metrics.commits.add(ms);
    metrics.rebalanced(300, 1_000);
    metrics.rebalanced(100, 2_000);
    expect(metrics.snapshot(4_500, 7, [0.5, 1])).toEqual({
      recordsConsumedTotal: 9,
      recordsFailedTotal: 3,
      recordsSkippedTotal: 2,
      recordsDeadLetteredTotal: 1,
      recordsInFlight: 7,
      commitTotal: 2,
      commitRefusedTotal: 4,
      commitLatencyAvgMs: 20,
      commitLatencyMaxMs: 30,
      rebalanceTotal: 2,
      rebalanceLatencyAvgMs: 200,
      rebalanceLatencyMaxMs: 300,
      lastRebalanceSecondsAgo: 2.5,
      memberFailedTotal: 5,
      pollIdleRatioAvg: 0.75,
    });
  });
});

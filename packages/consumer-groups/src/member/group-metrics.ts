/** What a group has done in this process since it was created. Names as in Java's consumer metrics. */
export interface GroupMetricsSnapshot {
  readonly recordsConsumedTotal: number;
  /** Failed attempts: each is followed by an answer of `onError`. */
  readonly recordsFailedTotal: number;
  readonly recordsSkippedTotal: number;
  readonly recordsDeadLetteredTotal: number;
  /** Handlers that have not settled. */
  readonly recordsInFlight: number;
  readonly commitTotal: number;
  readonly commitRefusedTotal: number;
  readonly commitLatencyAvgMs: number;
  readonly commitLatencyMaxMs: number;
  /** Of each member. */
  readonly rebalanceTotal: number;
  readonly rebalanceLatencyAvgMs: number;
  readonly rebalanceLatencyMaxMs: number;
  /** `null` before the first. */
  readonly lastRebalanceSecondsAgo: number | null;
  readonly memberFailedTotal: number;
  /** The share of the last 30 to 60 seconds in which members had nothing in hand, on average over them. */
  readonly pollIdleRatioAvg: number;
}

/** Count, sum and maximum of durations. */
class Durations {
  count = 0;
  maxMs = 0;
  #sumMs = 0;

  add(ms: number): void {
    this.count++;
    this.#sumMs += ms;
    this.maxMs = Math.max(this.maxMs, ms);
  }

  get averageMs(): number {
    return this.count === 0 ? 0 : this.#sumMs / this.count;
  }
}

/** Counts what the members of a group do. */
export class GroupMetrics {
  consumed = 0;
  failed = 0;
  skipped = 0;
  deadLettered = 0;
  commitsRefused = 0;
  membersFailed = 0;
  readonly commits = new Durations();
  readonly #rebalances = new Durations();
  #lastRebalanceMs: number | null = null;

  rebalanced(durationMs: number, nowMs: number): void {
    this.#rebalances.add(durationMs);
    this.#lastRebalanceMs = nowMs;
  }

  snapshot(nowMs: number, recordsInFlight: number, idleRatios: readonly number[]): GroupMetricsSnapshot {
    return {
      recordsConsumedTotal: this.consumed,
      recordsFailedTotal: this.failed,
      recordsSkippedTotal: this.skipped,
      recordsDeadLetteredTotal: this.deadLettered,
      recordsInFlight,
      commitTotal: this.commits.count,
      commitRefusedTotal: this.commitsRefused,
      commitLatencyAvgMs: this.commits.averageMs,
      commitLatencyMaxMs: this.commits.maxMs,
      rebalanceTotal: this.#rebalances.count,
      rebalanceLatencyAvgMs: this.#rebalances.averageMs,
      rebalanceLatencyMaxMs: this.#rebalances.maxMs,
      lastRebalanceSecondsAgo: this.#lastRebalanceMs === null ? null : (nowMs - this.#lastRebalanceMs) / 1_000,
      memberFailedTotal: this.membersFailed,
      pollIdleRatioAvg:
        idleRatios.length === 0 ? 1 : idleRatios.reduce((sum, ratio) => sum + ratio, 0) / idleRatios.length,
    };
  }
}

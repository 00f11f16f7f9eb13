/** Upper bounds of the buckets, in ms: 1 µs doubled again and again up to about 9 minutes. */
const BUCKETS = 30;
const FIRST_BOUND_MS = 0.001;
const P95 = 0.95;

/** Latencies of one operation, in ms. All but `count` are of the calls that were measured. */
export interface LatencySnapshot {
  /** Calls, measured or not. */
  readonly count: number;
  readonly avgMs: number;
  readonly maxMs: number;
  /** At most twice the true one: the upper bound of its bucket, or the maximum if that is less. */
  readonly p95Ms: number;
}

/** Nothing was measured by this `begin`. */
const UNMEASURED = -1;

/**
 * How long calls take. Two readings of the clock cost more than a get that hits the overlay, so one call in `every` is
 * measured and the others are counted. Which ones does not depend on how long they take, so the sample is a fair one.
 */
export class Latency {
  readonly #monotonicMs: () => number;
  readonly #mask: number;
  #count = 0;
  #measured = 0;
  #totalMs = 0;
  #maxMs = 0;
  readonly #buckets = new Float64Array(BUCKETS);

  /** @param every - a power of two; 1 measures all */
  constructor(monotonicMs: () => number, every: number) {
    this.#monotonicMs = monotonicMs;
    this.#mask = every - 1;
  }

  /** At the beginning of a call; what it returns goes to {@link end}. */
  begin(): number {
    return (this.#count++ & this.#mask) === 0 ? this.#monotonicMs() : UNMEASURED;
  }

  end(begun: number): void {
    if (begun !== UNMEASURED) this.#measure(this.#monotonicMs() - begun);
  }

  snapshot(): LatencySnapshot {
    const measured = this.#measured;
    return {
      count: this.#count,
      avgMs: measured === 0 ? 0 : this.#totalMs / measured,
      maxMs: this.#maxMs,
      p95Ms: this.#quantileMs(P95),
    };
  }

  #measure(durationMs: number): void {
    this.#measured++;
    this.#totalMs += durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
    const bucket = durationMs <= FIRST_BOUND_MS ? 0 : Math.ceil(Math.log2(durationMs / FIRST_BOUND_MS));
    // What is beyond the last one is told by the maximum.
    if (bucket < BUCKETS) this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  #quantileMs(quantile: number): number {
    const rank = Math.ceil(this.#measured * quantile);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS && rank > 0; bucket++) {
      seen += this.#buckets[bucket] ?? 0;
      if (seen >= rank) return Math.min(FIRST_BOUND_MS * 2 ** bucket, this.#maxMs);
    }
    return this.#maxMs;
  }
}

import type { Clock } from "@eos/core";
import { Latency } from "./latency.ts";

/** Gets and puts are measured once in this many calls. */
const SAMPLED_EVERY = 64;

/**
 * What one store of one task has done since it was opened; Kafka Streams' metric words in camelCase, totals where
 * Kafka has a rate. Latencies of gets and puts are of a sample of one call in 64; their `max` too.
 */
export interface StoreMetricsSnapshot {
  readonly getTotal: number;
  readonly getLatencyAvgMs: number;
  readonly getLatencyMaxMs: number;
  /** From a histogram of doubling buckets: at most twice the true one. */
  readonly getLatencyP95Ms: number;
  readonly putTotal: number;
  readonly putLatencyAvgMs: number;
  readonly putLatencyMaxMs: number;
  readonly putLatencyP95Ms: number;
  /** Iterators that were opened: ranges, prefix scans, fetches. */
  readonly rangeTotal: number;
  /** From the opening of an iterator to its closing, the time between its entries included (as in Kafka Streams). */
  readonly rangeLatencyAvgMs: number;
  readonly rangeLatencyMaxMs: number;
  readonly rangeLatencyP95Ms: number;
  /** Batches written to the engine after a commit. */
  readonly flushTotal: number;
  readonly flushLatencyAvgMs: number;
  readonly flushLatencyMaxMs: number;
  readonly flushLatencyP95Ms: number;
  /** Keys and values handed to the engine. */
  readonly bytesWritten: number;
  readonly numOpenIterators: number;
  /** When the oldest open iterator was opened, ms since the epoch; `null` when none is open. */
  readonly oldestIteratorOpenSinceMs: number | null;
  /** Gets that the overlay answered: keys written since the last commit. */
  readonly cacheHits: number;
  /** `cacheHits` among all gets, 0 to 1; 0 before the first. */
  readonly hitRatio: number;
  /** Records restored from the changelog. */
  readonly restoreTotal: number;
  /** Records of the changelog that are still to restore, by offsets; 0 when no restore is under way. */
  readonly restoreRemainingRecords: number;
  /** Times that the store was found corrupt and wiped. */
  readonly corruptionTotal: number;
  /** Writes that were dropped since their window or session had expired. */
  readonly expiredTotal: number;
}

/** An open iterator, for {@link StoreMetrics.iteratorClosed}. */
export interface IteratorMark {
  readonly begun: number;
  readonly openSinceMs: number;
}

/** Counts for one store of one task. What lies on the way of a get or a put costs a few nanoseconds. */
export class StoreMetrics {
  readonly get: Latency;
  readonly put: Latency;
  readonly flush: Latency;
  readonly #range: Latency;
  readonly #clock: Pick<Clock, "now" | "monotonicMs">;
  /** In the order of their opening. */
  readonly #openIterators = new Set<IteratorMark>();
  #bytesWritten = 0;
  #cacheHits = 0;
  #restoreTotal = 0;
  #restoreRemainingRecords = 0;
  #corruptionTotal = 0;
  #expiredTotal = 0;

  constructor(clock: Pick<Clock, "now" | "monotonicMs">) {
    const monotonicMs = (): number => clock.monotonicMs();
    this.#clock = clock;
    this.get = new Latency(monotonicMs, SAMPLED_EVERY);
    this.put = new Latency(monotonicMs, SAMPLED_EVERY);
    this.flush = new Latency(monotonicMs, 1);
    this.#range = new Latency(monotonicMs, 1);
  }

  /** The overlay answered a get. */
  cacheHit(): void {
    this.#cacheHits++;
  }

  written(bytes: number): void {
    this.#bytesWritten += bytes;
  }

  iteratorOpened(): IteratorMark {
    const mark = { begun: this.#range.begin(), openSinceMs: this.#clock.now() };
    this.#openIterators.add(mark);
    return mark;
  }

  /** A second call for the same iterator does nothing. */
  iteratorClosed(mark: IteratorMark): void {
    if (this.#openIterators.delete(mark)) this.#range.end(mark.begun);
  }

  /** @param remainingRecords - offsets between the position and the end of the restore */
  restored(records: number, remainingRecords: number): void {
    this.#restoreTotal += records;
    // A chunk may reach beyond the end that a restore was begun with.
    this.#restoreRemainingRecords = Math.max(remainingRecords, 0);
  }

  corrupted(): void {
    this.#corruptionTotal++;
  }

  /** A write came too late. */
  expired(): void {
    this.#expiredTotal++;
  }

  snapshot(): StoreMetricsSnapshot {
    const get = this.get.snapshot();
    const put = this.put.snapshot();
    const range = this.#range.snapshot();
    const flush = this.flush.snapshot();
    const [oldest] = this.#openIterators;
    return {
      getTotal: get.count,
      getLatencyAvgMs: get.avgMs,
      getLatencyMaxMs: get.maxMs,
      getLatencyP95Ms: get.p95Ms,
      putTotal: put.count,
      putLatencyAvgMs: put.avgMs,
      putLatencyMaxMs: put.maxMs,
      putLatencyP95Ms: put.p95Ms,
      rangeTotal: range.count,
      rangeLatencyAvgMs: range.avgMs,
      rangeLatencyMaxMs: range.maxMs,
      rangeLatencyP95Ms: range.p95Ms,
      flushTotal: flush.count,
      flushLatencyAvgMs: flush.avgMs,
      flushLatencyMaxMs: flush.maxMs,
      flushLatencyP95Ms: flush.p95Ms,
      bytesWritten: this.#bytesWritten,
      numOpenIterators: this.#openIterators.size,
      oldestIteratorOpenSinceMs: oldest?.openSinceMs ?? null,
      cacheHits: this.#cacheHits,
      hitRatio: get.count === 0 ? 0 : this.#cacheHits / get.count,
      restoreTotal: this.#restoreTotal,
      restoreRemainingRecords: this.#restoreRemainingRecords,
      corruptionTotal: this.#corruptionTotal,
      expiredTotal: this.#expiredTotal,
    };
  }
}

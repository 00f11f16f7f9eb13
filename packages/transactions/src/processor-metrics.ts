/** Counters of one processor since it was made. */
export interface ProcessorMetricsSnapshot {
  readonly commits: number;
  /** Records written by the commits. */
  readonly recordsWritten: number;
  readonly recordsSkipped: number;
  /** Aborted transactions by cause: the broker's error name, `CONNECTION_LOST`, or the error's code. */
  readonly aborts: { readonly [cause: string]: number };
  readonly fences: number;
  readonly commitLatencyMs: { readonly last: number; readonly mean: number; readonly max: number };
  /** Age of the oldest transaction that is open now. */
  readonly openTransactionAgeMs: number;
}

export class ProcessorMetrics {
  #commits = 0;
  #recordsWritten = 0;
  #recordsSkipped = 0;
  readonly #aborts = new Map<string, number>();
  #fences = 0;
  #lastMs = 0;
  #totalMs = 0;
  #maxMs = 0;

  committed(records: number, durationMs: number): void {
    this.#commits++;
    this.#recordsWritten += records;
    this.#lastMs = durationMs;
    this.#totalMs += durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  aborted(cause: string): void {
    this.#aborts.set(cause, (this.#aborts.get(cause) ?? 0) + 1);
  }

  fenced(): void {
    this.#fences++;
  }

  skipped(): void {
    this.#recordsSkipped++;
  }

  snapshot(openTransactionAgeMs: number): ProcessorMetricsSnapshot {
    return {
      commits: this.#commits,
      recordsWritten: this.#recordsWritten,
      recordsSkipped: this.#recordsSkipped,
      aborts: Object.fromEntries(this.#aborts),
      fences: this.#fences,
      commitLatencyMs: {
        last: this.#lastMs,
        mean: this.#commits === 0 ? 0 : this.#totalMs / this.#commits,
        max: this.#maxMs,
      },
      openTransactionAgeMs,
    };
  }
}

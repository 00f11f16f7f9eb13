import { EndOffsetHistory } from "./end-offset-history.ts";
import { evaluateLag, type LagSample, type LagState } from "./lag-state.ts";

/** What was read of a partition at one moment. */
export interface LagReading {
  /** Milliseconds on a clock that never goes back. */
  readonly timeMs: number;
  /** Whether the group has committed the offset, or would begin there. */
  readonly position: "committed" | "assumed";
  readonly offset: number;
  /** The text that was committed with it. */
  readonly metadata: string | null;
  /** The last stable offset. */
  readonly endOffset: number;
}

/**
 * Readings nearer to each other than this count as one (Burrow's `min-distance`). Otherwise somebody who asks in a loop
 * would shrink the window to less than the time between two commits, and a healthy consumer would seem to have stopped.
 */
const MIN_DISTANCE_MS = 1_000;

/**
 * The recent past of one partition. Burrow sees every commit; here one is seen only when a reading shows another offset or
 * other metadata than the one before. Metadata counts because completed records beyond a gap are kept there: while a
 * record is stuck and others of its partition go on, each commit changes it and leaves the offset where it is.
 */
export class LagWindow {
  readonly #size: number;
  readonly #samples: LagSample[] = [];
  readonly #ends = new EndOffsetHistory();
  #newest: LagReading | undefined;
  /** When the newest sample was begun: the readings that count as one with it do not move this. */
  #newestSinceMs = Number.NEGATIVE_INFINITY;

  /** @param size - samples kept. With fewer the state is OK or REWIND. They should span several commit intervals. */
  constructor(size: number) {
    this.#size = size;
  }

  add(reading: LagReading): void {
    const { timeMs, offset, metadata, endOffset } = reading;
    // With `autoOffsetReset: 'latest'` the first commit lies below the end that was assumed: that is no rewind.
    if (reading.position !== this.#newest?.position) this.#restart();
    const isSameCommit = offset === this.#newest?.offset && metadata === this.#newest.metadata;
    const committedMs = isSameCommit ? (this.#samples.at(-1)?.committedMs ?? timeMs) : timeMs;
    if (timeMs - this.#newestSinceMs < MIN_DISTANCE_MS) this.#samples.pop();
    else this.#newestSinceMs = timeMs;
    this.#samples.push({ committedMs, offset, endOffset });
    if (this.#samples.length > this.#size) this.#samples.shift();
    this.#newest = reading;
    this.#ends.add({ timeMs, endOffset }, offset);
  }

  state(nowMs: number): LagState {
    return evaluateLag(this.#samples, nowMs, this.#size);
  }

  /** How old the committed position is. `null`: older than what was watched. */
  seconds(nowMs: number): number | null {
    return this.#newest === undefined ? null : this.#ends.seconds(this.#newest.offset, nowMs);
  }

  #restart(): void {
    this.#samples.length = 0;
    this.#newest = undefined;
    this.#newestSinceMs = Number.NEGATIVE_INFINITY;
  }
}

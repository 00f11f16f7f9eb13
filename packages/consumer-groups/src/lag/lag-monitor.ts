import { checkOptions, type Clock, fn, formatTopicPartition, positiveInteger, type TopicPartition } from "@eos/core";
import { type GroupLag, groupLag, type PartitionLag } from "./group-lag.ts";
import { LagWindow } from "./lag-window.ts";

/** What a group has committed for a partition. */
export interface CommittedPosition extends TopicPartition {
  /** `null`: nothing. */
  readonly offset: number | null;
  /** The text committed with it, by which two commits of one offset are told apart. */
  readonly metadata?: string | null;
}

export interface PartitionEnd extends TopicPartition {
  readonly offset: number;
}

/** Where the offsets come from. What is not answered for a partition leaves it out. */
export interface LagSource {
  /** Every partition of the group, also those for which nothing is committed. */
  committed(): Promise<readonly CommittedPosition[]>;
  /** The last stable offsets. */
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionEnd[]>;
  /** Where the group begins without a committed offset: by its `autoOffsetReset` the first offset, or the end. */
  startOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionEnd[]>;
}

export interface LagMonitorOptions {
  readonly source: LagSource;
  readonly clock: Clock;
  /**
   * Samples of a partition by which its state is judged, at least 2; they should span several commit intervals.
   * @defaultValue 10
   */
  readonly window?: number;
}

export interface LagWatchOptions {
  /** The pause between two samples. @defaultValue 5 000 */
  readonly intervalMs?: number;
  /** A sample that failed, or a listener that did; watching goes on. @defaultValue the first is a process warning */
  readonly onError?: (error: unknown) => void;
}

/** May return a promise: the next sample waits for it. */
export type LagListener = (lag: GroupLag) => unknown;

const WATCH_OPTION_RULES = { intervalMs: positiveInteger, onError: fn };

const DEFAULT_WINDOW = 10;
const DEFAULT_INTERVAL_MS = 5_000;

/** Measures the lag of one group, and remembers as much as it takes to say how old it is and what state it is in. */
export class LagMonitor {
  readonly #source: LagSource;
  readonly #clock: Clock;
  readonly #windowSize: number;
  #windows: ReadonlyMap<string, LagWindow> = new Map();
  #running: Promise<GroupLag> | null = null;
  /** What begins when the running one has ended; `null` once it has begun. */
  #next: Promise<GroupLag> | null = null;

  constructor({ source, clock, window = DEFAULT_WINDOW }: LagMonitorOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#windowSize = window;
  }

  /**
   * One at a time. It never shows less than what was committed when it was called: who asks while a sample is being taken
   * shares the next one with everybody who waits as well. Rejects as the source does.
   */
  sample(): Promise<GroupLag> {
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#begin();
    // The outcome of the running one is its own callers' concern.
    this.#next = this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null;
        return this.#begin();
      });
    return this.#next;
  }

  /**
   * Samples at once, and then again and again until the function that it returns is called; afterwards neither callback is.
   *
   * @throws TypeError on a wrong or unknown option
   */
  watch(listener: LagListener, options: LagWatchOptions = {}): () => void {
    checkOptions("watchLag", options, WATCH_OPTION_RULES);
    const { intervalMs = DEFAULT_INTERVAL_MS, onError } = options;
    const controller = new AbortController();
    void this.#watch(listener, intervalMs, errorListener(onError), controller.signal);
    return () => controller.abort();
  }

  async #watch(
    listener: LagListener,
    intervalMs: number,
    onError: (error: unknown) => void,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        const lag = await this.sample();
        if (!signal.aborted) await listener(lag);
      } catch (error) {
        if (!signal.aborted) onError(error);
      }
      // Rejects when the watching ends.
      await this.#clock.sleep(intervalMs, signal).catch(() => {});
    }
  }

  #begin(): Promise<GroupLag> {
    this.#running = this.#take().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #take(): Promise<GroupLag> {
    const committed = await this.#source.committed();
    // Asked for afterwards: an end from before the commit could lie below it.
    const [ends, starts] = await Promise.all([
      this.#source.endOffsets(committed),
      this.#startOffsets(committed.filter(({ offset }) => offset === null)),
    ]);
    const endOf = byPartition(ends);
    const startOf = byPartition(starts);
    const nowMs = this.#clock.monotonicMs();
    const windows = new Map<string, LagWindow>();
    const partitions: PartitionLag[] = [];
    for (const { topic, partition, offset, metadata = null } of committed) {
      const name = formatTopicPartition({ topic, partition });
      const endOffset = endOf.get(name);
      const position = offset ?? startOf.get(name);
      if (endOffset === undefined || position === undefined) continue;
      const window = this.#windows.get(name) ?? new LagWindow(this.#windowSize);
      windows.set(name, window);
      window.add({
        timeMs: nowMs,
        position: offset === null ? "assumed" : "committed",
        offset: position,
        metadata,
        endOffset,
      });
      partitions.push({
        topic,
        partition,
        offset,
        endOffset,
        records: Math.max(0, endOffset - position),
        seconds: window.seconds(nowMs),
        state: window.state(nowMs),
      });
    }
    // Those of partitions that are gone go with them.
    this.#windows = windows;
    return groupLag(this.#clock.now(), partitions);
  }

  #startOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionEnd[]> {
    return partitions.length === 0 ? Promise.resolve([]) : this.#source.startOffsets(partitions);
  }
}

function byPartition(offsets: readonly PartitionEnd[]): ReadonlyMap<string, number> {
  return new Map(offsets.map((of) => [formatTopicPartition(of), of.offset]));
}

/** Never throws: who watches must not be able to end the watching, and the process with it. */
function errorListener(onError: LagWatchOptions["onError"]): (error: unknown) => void {
  let isWarned = false;
  const warnOnce = (error: unknown): void => {
    if (isWarned) return;
    isWarned = true;
    process.emitWarning("Watching the lag failed; it goes on", {
      type: "EosLagWarning",
      detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  };
  if (onError === undefined) return warnOnce;
  return (error) => {
    try {
      onError(error);
    } catch (failure) {
      warnOnce(failure);
    }
  };
}

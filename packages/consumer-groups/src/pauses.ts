import { checkOptions, formatTopicPartition, type OptionRule, type TopicPartition } from "@eos/core";

export interface PauseOptions {
  /** Resumed by itself after this long. @defaultValue not before `resume` */
  readonly forMs?: number;
  /** For the log and {@link PausedPartition}. */
  readonly reason?: string;
}

export interface PausedPartition extends TopicPartition {
  readonly reason: string | null;
}

/** Node's timers go no further: a longer one fires at once. */
const MAX_PAUSE_MS = 2 ** 31 - 1;

const PAUSE_OPTION_RULES = {
  forMs: {
    expects: `an integer from 1 to ${MAX_PAUSE_MS}`,
    accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= MAX_PAUSE_MS,
  },
  reason: { expects: "a string", accepts: (value) => typeof value === "string" },
} as const satisfies Record<string, OptionRule>;

interface Pause {
  readonly partition: PausedPartition;
  readonly timer: NodeJS.Timeout | null;
}

/** Which partitions are paused. A pause outlives a rebalance, and a change of member within the process. */
export class Pauses {
  readonly #pauses = new Map<string, Pause>();
  readonly #onExpired: (partition: TopicPartition) => void;

  constructor(onExpired: (partition: TopicPartition) => void) {
    this.#onExpired = onExpired;
  }

  get partitions(): readonly PausedPartition[] {
    return [...this.#pauses.values()].map(({ partition }) => partition);
  }

  has(partition: TopicPartition): boolean {
    return this.#pauses.has(formatTopicPartition(partition));
  }

  /** A second pause replaces the first. @throws TypeError on an unknown or wrong option */
  add({ topic, partition }: TopicPartition, options: PauseOptions): void {
    checkOptions("pause", options, PAUSE_OPTION_RULES);
    const { forMs, reason } = options;
    this.delete({ topic, partition });
    const timer = forMs === undefined ? null : setTimeout(() => this.#expire({ topic, partition }), forMs);
    timer?.unref();
    const paused = { topic, partition, reason: reason ?? null };
    this.#pauses.set(formatTopicPartition(paused), { partition: paused, timer });
  }

  delete(partition: TopicPartition): boolean {
    const key = formatTopicPartition(partition);
    const pause = this.#pauses.get(key);
    if (pause === undefined) return false;
    if (pause.timer !== null) clearTimeout(pause.timer);
    return this.#pauses.delete(key);
  }

  clear(): void {
    for (const { timer } of this.#pauses.values()) if (timer !== null) clearTimeout(timer);
    this.#pauses.clear();
  }

  #expire(partition: TopicPartition): void {
    this.delete(partition);
    this.#onExpired(partition);
  }
}

import type { Clock } from "@eos/core";
import type { PartitionQueue } from "./partition-queue.ts";

export interface QueueBoundsOptions {
  readonly clock: Clock;
  /** A queue with more bytes waiting is not fetched. */
  readonly maxBytes: number;
  /** A queue with more records waiting is not fetched, but for those that will be gone before an answer can come. */
  readonly maxRecords: number;
  /** A queue that was too full is fetched again at this fraction of both bounds, 0 < f ≤ 1. */
  readonly resumeAt: number;
}

/** How fast a queue is emptied since the last answer came, and how fast it was before. */
interface Drain {
  sinceMs: number;
  drained: number;
  recordsPerMs: number;
  before: number;
  /** Nothing was left: from then on time passes without telling anything. */
  isOver: boolean;
}

/** Answers that the broker held back say nothing of how long an answer takes. */
const LONGEST_ANSWER_MS = 50;
/** Rate and duration both vary. */
const MARGIN = 2;

/**
 * Which queues have room. The bound in records keeps work from piling up here that another member could do; it must not
 * let handlers stand idle that are done with so many records before the next ones can arrive.
 */
export class QueueBounds {
  readonly #options: QueueBoundsOptions;
  /** Queues that were too full, until they have room at `resumeAt`. */
  readonly #full = new WeakSet<PartitionQueue>();
  readonly #drains = new WeakMap<PartitionQueue, Drain>();
  #answerMs = 0;

  constructor(options: QueueBoundsOptions) {
    this.#options = options;
  }

  /** An answer with records took so long. */
  answered(durationMs: number): void {
    const ms = Math.min(durationMs, LONGEST_ANSWER_MS);
    this.#answerMs = this.#answerMs === 0 ? ms : (this.#answerMs + ms) / 2;
  }

  /** The queue has got records. */
  filled(queue: PartitionQueue): void {
    const { recordsPerMs, before } = this.#drains.get(queue) ?? { recordsPerMs: 0, before: 0 };
    this.#drains.set(queue, {
      sinceMs: this.#options.clock.monotonicMs(),
      drained: queue.drained,
      recordsPerMs: 0,
      before: before === 0 ? recordsPerMs : (before + recordsPerMs) / 2,
      isOver: false,
    });
  }

  hasRoom(queue: PartitionQueue): boolean {
    const { maxBytes, maxRecords, resumeAt } = this.#options;
    const fraction = this.#full.has(queue) ? resumeAt : 1;
    const records = Math.max(maxRecords * fraction, this.#goneBeforeAnswer(queue));
    const hasRoom = queue.bytes <= maxBytes * fraction && queue.records <= records;
    if (hasRoom) this.#full.delete(queue);
    else this.#full.add(queue);
    return hasRoom;
  }

  #goneBeforeAnswer(queue: PartitionQueue): number {
    const drain = this.#drains.get(queue);
    if (drain === undefined) return 0;
    const elapsedMs = this.#options.clock.monotonicMs() - drain.sinceMs;
    if (!drain.isOver && elapsedMs > 0) {
      drain.recordsPerMs = (queue.drained - drain.drained) / elapsedMs;
      drain.isOver = queue.records === 0;
    }
    return Math.max(drain.recordsPerMs, drain.before) * this.#answerMs * MARGIN;
  }
}

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
    const last = this.#drains.get(queue);
    // Nothing has been taken of what it got before: its time goes on.
    if (last !== undefined && !last.isOver && last.drained === queue.drained) return;
    const before =
      last === undefined ? 0 : last.before === 0 ? last.recordsPerMs : (last.before + last.recordsPerMs) / 2;
    const sinceMs = this.#options.clock.monotonicMs();
    this.#drains.set(queue, { sinceMs, drained: queue.drained, recordsPerMs: 0, before, isOver: false });
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

  /** When a queue without room will have some, at the rate at which it is emptied. */
  roomInMs(queue: PartitionQueue): number {
    const { maxBytes, maxRecords, resumeAt, clock } = this.#options;
    const drain = this.#drains.get(queue);
    if (drain === undefined || queue.records === 0) return 0;
    const recordsPerMs = this.#rate(queue);
    // Nothing is known yet: as long again as it has taken so far.
    if (recordsPerMs === 0) return clock.monotonicMs() - drain.sinceMs;
    const records = queue.records - maxRecords * resumeAt;
    const bytes = queue.bytes - maxBytes * resumeAt;
    return Math.max(records, (bytes * queue.records) / queue.bytes, 0) / recordsPerMs;
  }

  #goneBeforeAnswer(queue: PartitionQueue): number {
    return this.#rate(queue) * this.#answerMs * MARGIN;
  }

  /** Records a millisecond. */
  #rate(queue: PartitionQueue): number {
    const drain = this.#drains.get(queue);
    if (drain === undefined) return 0;
    const elapsedMs = this.#options.clock.monotonicMs() - drain.sinceMs;
    if (!drain.isOver && elapsedMs > 0) {
      drain.recordsPerMs = (queue.drained - drain.drained) / elapsedMs;
      drain.isOver = queue.records === 0;
    }
    return Math.max(drain.recordsPerMs, drain.before);
  }
}

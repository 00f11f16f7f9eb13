import type { StateRestore, StateRestoreListener } from "@eos/state-store";
import { type Clock, formatTopicPartition } from "@eos/core";

/** Where restores are shown. */
export interface RestoreDisplay {
  /** Offsets of all partitions together. */
  restoring(done: number, total: number): void;
  /** All restores have ended. */
  restored(records: number, durationMs: number): void;
}

/** How far the restore of one partition is. */
interface Share {
  readonly total: number;
  done: number;
  isUnderWay: boolean;
}

/** Sums the restores of all partitions up that are under way at the same time. */
export class RestoreProgress implements StateRestoreListener {
  readonly #display: RestoreDisplay;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #shares = new Map<string, Share>();
  #records = 0;
  #startedMs = 0;

  constructor(display: RestoreDisplay, clock: Pick<Clock, "monotonicMs">) {
    this.#display = display;
    this.#clock = clock;
  }

  onRestoreStart({ topicPartition, startingOffset, endingOffset }: StateRestore): void {
    if (this.#shares.size === 0) this.#startedMs = this.#clock.monotonicMs();
    const total = Math.max(0, endingOffset - startingOffset);
    this.#shares.set(formatTopicPartition(topicPartition), { total, done: 0, isUnderWay: true });
  }

  onBatchRestored(batch: StateRestore & { readonly batchEndOffset: number; readonly numRestored: number }): void {
    const share = this.#shares.get(formatTopicPartition(batch.topicPartition));
    if (share === undefined) return;
    share.done = Math.min(share.total, batch.batchEndOffset - batch.startingOffset);
    this.#records += batch.numRestored;
    const shares = [...this.#shares.values()];
    const done = shares.reduce((sum, each) => sum + each.done, 0);
    const total = shares.reduce((sum, each) => sum + each.total, 0);
    // One that is done at once needs no telling how far it is.
    if (done < total) this.#display.restoring(done, total);
  }

  onRestoreEnd({ topicPartition }: StateRestore): void {
    this.#ended(topicPartition);
  }

  onRestoreSuspended({ topicPartition }: StateRestore): void {
    this.#ended(topicPartition);
  }

  #ended(topicPartition: StateRestore["topicPartition"]): void {
    const share = this.#shares.get(formatTopicPartition(topicPartition));
    if (share !== undefined) share.isUnderWay = false;
    if ([...this.#shares.values()].some(({ isUnderWay }) => isUnderWay)) return;
    this.#display.restored(this.#records, Math.round(this.#clock.monotonicMs() - this.#startedMs));
    this.#shares.clear();
    this.#records = 0;
  }
}

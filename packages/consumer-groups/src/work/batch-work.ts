import type { PartitionQueue, RecordSource } from "@eos/client";
import { BatchRecordError, DeadLetterError } from "../errors.ts";
import type { ConsumedBatch, RecordOutcome } from "../handler.ts";
import type { CompletionTracker } from "../offsets/completion-tracker.ts";
import { Delivery, type UnknownRecord } from "./delivery.ts";
import { PartitionWork, type TakeOutcome, type WorkOwner } from "./partition-work.ts";

/** A batch of records, and where the partition goes on behind it. */
export interface DeliveredBatch extends ConsumedBatch<unknown, unknown> {
  readonly nextOffset: number;
}

/** A partition handled batch by batch. */
export class BatchWork extends PartitionWork<DeliveredBatch> {
  readonly #maxBatchRecords: number;
  /** Index of the record that the batch handler blamed; −1: the whole batch. */
  #failedIndex = -1;
  /** The first record that is not completed. */
  #startedOffset = -1;

  constructor(
    queue: PartitionQueue,
    source: RecordSource<unknown, unknown>,
    tracker: CompletionTracker,
    owner: WorkOwner<DeliveredBatch>,
    maxBatchRecords: number,
  ) {
    super(queue, source, tracker, owner);
    this.#maxBatchRecords = maxBatchRecords;
  }

  completed(delivery: Delivery<DeliveredBatch>, outcome: RecordOutcome): void {
    this.outstanding.delete(delivery);
    const { records } = delivery.subject;
    const failed = this.#failedIndex;
    const rest = outcome === "handled" || failed < 0 ? [] : records.slice(failed + 1);
    this.owner.metrics.consumed += outcome === "handled" ? records.length : this.blamed(delivery).length;
    this.#failedIndex = -1;
    this.#done(delivery.subject.nextOffset, rest);
    if (rest.length > 0) this.#startAgain({ ...delivery.subject, records: rest }, 0);
    this.progressed();
    this.owner.resume(this);
  }

  /** With the records before it completed, only what begins at the failed record is handled again. */
  override again(delivery: Delivery<DeliveredBatch>): void {
    const failed = this.#failedIndex;
    this.#failedIndex = -1;
    if (failed <= 0) {
      super.again(delivery);
      return;
    }
    this.outstanding.delete(delivery);
    const rest = delivery.subject.records.slice(failed);
    this.#startAgain({ ...delivery.subject, records: rest }, delivery.attempt);
    this.owner.resume(this);
  }

  blame(delivery: Delivery<DeliveredBatch>, error: unknown): { record: UnknownRecord; error: unknown } {
    const { records } = delivery.subject;
    const failed = error instanceof BatchRecordError ? records[error.index] : undefined;
    if (!(error instanceof BatchRecordError) || failed === undefined) {
      // Dead-lettering is about the same record still.
      if (!(error instanceof DeadLetterError)) this.#failedIndex = -1;
      return { record: (records[this.#failedIndex] ?? records[0]) as UnknownRecord, error };
    }
    this.#failedIndex = error.index;
    if (error.index > 0) {
      const before = records.slice(0, error.index);
      this.owner.metrics.consumed += before.length;
      this.owner.handling.report(before, {
        outcome: "handled",
        attempts: delivery.attempt,
        durationMs: delivery.failedAfterMs,
      });
      this.#done(delivery.subject.nextOffset, records.slice(error.index));
      this.progressed();
    }
    return { record: failed, error: error.cause };
  }

  blamed(delivery: Delivery<DeliveredBatch>): readonly UnknownRecord[] {
    const { records } = delivery.subject;
    return this.#failedIndex < 0 ? records : records.slice(this.#failedIndex, this.#failedIndex + 1);
  }

  protected override forgetOrder(): void {
    this.#failedIndex = -1;
  }

  protected override take(untilMs: number): TakeOutcome {
    for (;;) {
      // By the handler itself, perhaps.
      if (this.queue.paused) return "idle";
      if (this.outstanding.size > 0) return "waiting";
      if (!this.owner.slots.mayStart(this)) return "no-slot";
      const batch = this.#nextBatch();
      if (batch === null) return "idle";
      const delivery = new Delivery<DeliveredBatch>(batch, this, null);
      this.#started(batch.records[0] as UnknownRecord);
      if (this.owner.handling.start(delivery)) {
        this.owner.metrics.consumed += batch.records.length;
        this.#done(batch.nextOffset, []);
      } else if (delivery.phase !== "completed") {
        // Also one that is dropped already: the group stops because of it, and nothing behind it may be handled.
        this.outstanding.add(delivery);
        return "waiting";
      }
      if (performance.now() >= untilMs) return "more";
    }
  }

  /** Gathers over the fetched batches; `null` when there is no record, whatever markers there were. */
  #nextBatch(): DeliveredBatch | null {
    const { cursor, source, tracker } = this;
    const records: UnknownRecord[] = [];
    let nextOffset = -1;
    while (records.length < this.#maxBatchRecords && this.openBatch()) {
      if (cursor.next()) {
        if (tracker.isCompleted(cursor.offset)) continue;
        records.push(cursor.record(source));
        nextOffset = cursor.offset + 1;
      } else if (records.length === 0) {
        this.closeBatch();
        this.due();
      } else {
        nextOffset = (this.batch as { nextOffset: number }).nextOffset;
        this.#release();
      }
    }
    if (records.length === 0) return null;
    return { topic: this.queue.topic, partition: this.queue.partition, records, nextOffset };
  }

  /** As `closeBatch`, but what is behind the batch counts only once its records are completed. */
  #release(): void {
    if (this.batch === null) return;
    this.queue.release(this.batch);
    this.batch = null;
    this.owner.wakeFetcher();
  }

  /** One offset stands for all that are outstanding: what lies between it and the next one was never handed out. */
  #started(record: UnknownRecord): void {
    this.#startedOffset = record.offset;
    this.tracker.started(record.offset);
  }

  /** What is outstanding is completed, but for `rest`. */
  #done(nextOffset: number, rest: readonly UnknownRecord[]): void {
    const next = rest[0];
    this.tracker.completed(this.#startedOffset);
    this.tracker.passed(next?.offset ?? nextOffset);
    if (next !== undefined) this.#started(next);
    this.due();
  }

  #startAgain(batch: DeliveredBatch, attempt: number): void {
    const delivery = new Delivery<DeliveredBatch>(batch, this, null);
    delivery.attempt = attempt;
    this.outstanding.add(delivery);
    this.ready.push(delivery);
  }
}

import type { PartitionQueue, RecordSource } from "@eos/client";
import type { CompletionTracker } from "../offsets/completion-tracker.ts";
import { Delivery, type UnknownRecord } from "./delivery.ts";
import { PartitionWork, type TakeOutcome, type WorkOwner } from "./partition-work.ts";

/** Which records of a partition wait for each other. */
export type Ordering = "partition" | "key" | "unordered";

export interface RecordWorkOptions {
  readonly ordering: Ordering;
  /** With `ordering: 'partition'`, the next record waits until the last one is committed. */
  readonly commitsEachRecord: boolean;
}

/** The clock is looked at every so many records: a look costs as much as a small record. */
const RECORDS_PER_LOOK = 32;

/** Every record's lane when a partition keeps its order. */
const ONE_LANE = "";
/** Records without a key share a lane: no key is any key. */
const NO_KEY = "\u0000null";

/** A partition handled record by record. Records of one lane follow each other; lanes, of which each key is one, do not wait for each other. */
export class RecordWork extends PartitionWork<UnknownRecord> {
  readonly #options: RecordWorkOptions;
  /** Lanes with a record that is outstanding, and the records waiting behind it. */
  readonly #lanes = new Map<string, Delivery<UnknownRecord>[]>();
  /** Where the last exhausted batch ends: when everything before it is completed, a batch has ended. */
  #batchEnd = -1;
  #awaitsCommit = false;

  constructor(
    queue: PartitionQueue,
    source: RecordSource<unknown, unknown>,
    tracker: CompletionTracker,
    owner: WorkOwner<UnknownRecord>,
    options: RecordWorkOptions,
  ) {
    super(queue, source, tracker, owner);
    this.#options = options;
  }

  /** What it was waiting for with `commitsEachRecord`. */
  override committed(): void {
    // It may have left before the last record was completed.
    if (!this.#awaitsCommit || this.committedPosition !== this.tracker.position) return;
    this.#awaitsCommit = false;
    this.owner.resume(this);
  }

  completed(delivery: Delivery<UnknownRecord>): void {
    this.outstanding.delete(delivery);
    this.owner.metrics.consumed++;
    this.tracker.completed(delivery.subject.offset);
    if (delivery.lane !== null) this.#advance(delivery.lane);
    this.#recordEnded();
    this.progressed();
    this.owner.resume(this);
  }

  blame(delivery: Delivery<UnknownRecord>, error: unknown): { record: UnknownRecord; error: unknown } {
    return { record: delivery.subject, error };
  }

  blamed(delivery: Delivery<UnknownRecord>): readonly UnknownRecord[] {
    return [delivery.subject];
  }

  protected override forgetOrder(): void {
    this.#lanes.clear();
    this.#batchEnd = -1;
    this.#awaitsCommit = false;
  }

  protected override take(untilMs: number): TakeOutcome {
    const { cursor, tracker, source } = this;
    const { handling, slots, metrics } = this.owner;
    const isSequential = this.#options.ordering === "partition";
    let steps = 0;
    for (;;) {
      // By the handler itself, perhaps.
      if (this.queue.paused) return "idle";
      if (isSequential ? this.outstanding.size > 0 || this.#awaitsCommit : this.isFull) return "waiting";
      if (!slots.mayStart(this)) return "no-slot";
      if (!this.openBatch()) return "idle";
      if (!cursor.next()) {
        this.#batchEnd = (this.batch as { nextOffset: number }).nextOffset;
        this.closeBatch();
        this.#batchEnded();
        if (performance.now() >= untilMs) return "more";
        continue;
      }
      if (tracker.isCompleted(cursor.offset)) continue;
      const record = cursor.record(source);
      tracker.started(record.offset);
      const lane = this.#lane(record);
      const delivery = new Delivery<UnknownRecord>(record, this, lane);
      const ahead = lane === null ? undefined : this.#lanes.get(lane);
      if (ahead !== undefined) {
        this.outstanding.add(delivery);
        ahead.push(delivery);
      } else if (handling.start(delivery)) {
        tracker.completed(record.offset);
        metrics.consumed++;
        this.hasProgressed = true;
        this.#recordEnded();
      } else if (delivery.phase !== "completed") {
        // Also one that is dropped already: the group stops because of it, and nothing behind it may be handled.
        this.outstanding.add(delivery);
        if (lane !== null) this.#lanes.set(lane, []);
      }
      if (++steps % RECORDS_PER_LOOK === 0 && performance.now() >= untilMs) return "more";
    }
  }

  /** A key of another partition is another key, so raw bytes will do. */
  #lane(record: UnknownRecord): string | null {
    if (this.#options.ordering === "unordered") return null;
    if (this.#options.ordering === "partition") return ONE_LANE;
    return record.keyStart < 0 ? NO_KEY : record.buffer.toString("latin1", record.keyStart, record.keyEnd);
  }

  #advance(lane: string): void {
    const next = this.#lanes.get(lane)?.shift();
    if (next === undefined) this.#lanes.delete(lane);
    else this.ready.push(next);
  }

  #recordEnded(): void {
    if (this.#options.commitsEachRecord) {
      this.#awaitsCommit = this.#options.ordering === "partition";
      this.due();
    } else {
      this.#batchEnded();
    }
  }

  #batchEnded(): void {
    if (this.#batchEnd < 0 || this.tracker.position < this.#batchEnd) return;
    this.#batchEnd = -1;
    this.due();
  }
}

import {
  type FetchedRecord,
  type PartitionQueue,
  type RecordBatch,
  RecordCursor,
  type RecordSource,
  type RunnableTask,
  type RunOutcome,
  TransactionAbortedError,
} from "@eos/client";
import { isThenable } from "@eos/core";
import type { ProcessingErrorAnswer, Transform, TransformResult } from "./options.ts";
import type { OutputWriter } from "./output-writer.ts";
import type { TaskContext } from "./transform-context.ts";

/** A task of whatever types. */
// oxlint-disable-next-line typescript/no-explicit-any -- positions are committed; what the records are does not matter to it
export type AnyTask = Task<any, any, any, any>;

/** What a task needs of whoever commits for it. */
export interface TaskOwner<KO, VO> {
  readonly outputs: OutputWriter<KO, VO>;
  /** The producer holds as many unacknowledged batches as it may: nothing is processed until some are. */
  readonly isFull: boolean;
  /** The position has moved: something is to be committed. */
  touched(): void;
  /** A promise settled: the task can go on. */
  resume(task: RunnableTask): void;
  onProcessingError(
    error: unknown,
    record: UnknownRecord,
    attempt: number,
  ): ProcessingErrorAnswer | PromiseLike<ProcessingErrorAnswer>;
  onSkipped(error: unknown, record: UnknownRecord): void;
  /** The fetched batch cannot be read (damaged inside, or compressed by a codec that is not there). */
  onUnreadable(error: unknown): void;
  /** The answer was to stop. */
  fail(error: unknown, record: UnknownRecord): void;
}

export type UnknownRecord = FetchedRecord<unknown, unknown>;

/** A record that is being processed, and since when (monotonic). */
export interface OutstandingRecord {
  readonly record: UnknownRecord;
  readonly sinceMs: number;
}

/** The clock and the back-pressure are looked at every so many records: a look costs as much as a small record. */
const RECORDS_PER_LOOK = 32;
const RETRY_BACKOFF_MS = 100;
const MAX_RETRY_BACKOFF_MS = 10_000;

/**
 * One input partition being processed: decode, transform, write. Runs synchronously as long as `transform` does; a
 * promise suspends this task alone, and its records stay in order.
 *
 * {@link position} moves together with the outputs, in one synchronous step: whoever commits at any moment between two
 * runs commits exactly the outputs of the offsets before it.
 */
export class Task<KI, VI, KO, VO> implements RunnableTask {
  readonly queue: PartitionQueue;
  readonly source: RecordSource<KI, VI>;
  readonly context: TaskContext;
  /** Next offset to process: what a commit stores. */
  position: number;
  /** The position as of the last commit. */
  committedPosition: number;
  readonly #transform: Transform<KI, VI, KO, VO>;
  readonly #owner: TaskOwner<KO, VO>;
  readonly #cursor = new RecordCursor();
  #batch: RecordBatch | null = null;
  /** A promise that belongs to an earlier epoch is ignored: the task was reset meanwhile. */
  #epoch = 0;
  #pending: FetchedRecord<KI, VI> | null = null;
  #pendingSinceMs = 0;
  #settleWaiters: (() => void)[] = [];
  #isDropped = false;
  /** Promises of `transform` that have not settled, those of dropped records among them; and the last of them. */
  #outstandingCount = 0;
  #outstanding: OutstandingRecord | null = null;
  #quietWaiters: (() => void)[] = [];

  constructor(
    queue: PartitionQueue,
    source: RecordSource<KI, VI>,
    context: TaskContext,
    transform: Transform<KI, VI, KO, VO>,
    owner: TaskOwner<KO, VO>,
  ) {
    this.queue = queue;
    this.source = source;
    this.context = context;
    this.position = queue.position;
    this.committedPosition = queue.position;
    this.#transform = transform;
    this.#owner = owner;
  }

  /** The record whose promise has not settled, and since when (monotonic). */
  get pending(): OutstandingRecord | null {
    return this.#pending === null ? null : { record: this.#pending as UnknownRecord, sinceMs: this.#pendingSinceMs };
  }

  /** As {@link pending}, of a record that was dropped as well: what {@link quiet} waits for. */
  get outstanding(): OutstandingRecord | null {
    return this.#outstanding;
  }

  /** What was fetched is gone, and {@link rewind} has not said where to go on: the task can only be closed. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** Processes until the queue is empty, the time is up, the producer is full, or a promise has to be waited for. */
  run(untilMs: number): RunOutcome {
    if (this.#pending !== null) return "waiting";
    if (this.#isDropped) return "idle";
    const before = this.position;
    try {
      return this.#run(untilMs);
    } catch (error) {
      this.drop();
      this.#owner.onUnreadable(error);
      return "waiting";
    } finally {
      if (this.position !== before) this.#owner.touched();
    }
  }

  /** Resolves once no promise of `transform` is outstanding; the task must not be run meanwhile. */
  async settled(): Promise<void> {
    if (this.#pending === null) return;
    await new Promise<void>((resolve) => this.#settleWaiters.push(resolve));
  }

  /**
   * Resolves once no promise of `transform` is outstanding, not even of a record that was dropped: what it does until
   * then it does to the stores as well.
   */
  async quiet(): Promise<void> {
    if (this.#outstanding === null) return;
    await new Promise<void>((resolve) => this.#quietWaiters.push(resolve));
  }

  /** Forgets what was fetched and processed since `offset`, and goes on there. */
  rewind(offset: number): void {
    this.drop();
    this.#isDropped = false;
    this.queue.seek(offset);
    this.position = offset;
    this.committedPosition = offset;
  }

  /**
   * Ignores whatever is outstanding. The batch at hand is lost with it, so the task does not go on before
   * {@link rewind}: its next batch would begin behind records that nobody has processed.
   */
  drop(): void {
    this.#isDropped = true;
    this.#epoch++;
    this.#batch = null;
    this.#pending = null;
    this.#settle();
  }

  #run(untilMs: number): RunOutcome {
    const cursor = this.#cursor;
    const source = this.source;
    const context = this.context;
    const transform = this.#transform;
    const epoch = this.#epoch;
    let steps = 0;
    for (;;) {
      if (this.#batch === null) {
        const batch = this.queue.shift();
        if (batch === null) return "idle";
        this.#batch = batch;
        cursor.open(batch, this.position);
      }
      while (cursor.next()) {
        const record = cursor.record(source);
        context.timestamp = record.timestamp;
        try {
          const result = transform(record, context);
          if (result !== undefined && result !== null) {
            if (isThenable(result)) {
              this.#await(record, result, 1, epoch);
              return "waiting";
            }
            this.#owner.outputs.write(record as UnknownRecord, result);
          }
        } catch (error) {
          if (this.#failed(error, record, 1, epoch) === "waiting") return "waiting";
        }
        // A store has failed inside transform, which dropped this task: whatever transform made of that, its record comes again.
        if (epoch !== this.#epoch) return "waiting";
        this.position = record.offset + 1;
        if (++steps % RECORDS_PER_LOOK === 0) {
          if (this.#owner.isFull) return "full";
          if (performance.now() >= untilMs) return "more";
        }
      }
      // Behind the last record there may be offsets that carry none: markers, and what the cleaner has taken.
      this.position = this.#batch.nextOffset;
      this.queue.release(this.#batch);
      this.#batch = null;
      if (this.#owner.isFull) return "full";
      if (performance.now() >= untilMs) return "more";
    }
  }

  /** @param epoch - that of the call: a task that was dropped during it only waits for the promise to settle */
  #await(
    record: FetchedRecord<KI, VI>,
    result: PromiseLike<TransformResult<KO, VO>>,
    attempt: number,
    epoch: number,
  ): void {
    this.#outstandingCount++;
    this.#pendingSinceMs = performance.now();
    this.#outstanding = { record: record as UnknownRecord, sinceMs: this.#pendingSinceMs };
    if (epoch === this.#epoch) this.#pending = record;
    result.then(
      (settled) => {
        this.#returned();
        if (epoch !== this.#epoch) return;
        try {
          if (settled !== undefined && settled !== null) this.#owner.outputs.write(record as UnknownRecord, settled);
        } catch (error) {
          if (this.#failed(error, record, attempt, epoch) === "waiting") return;
        }
        this.#done(record);
      },
      (error: unknown) => {
        this.#returned();
        if (this.#failed(error, record, attempt, epoch) === "skipped") this.#done(record);
      },
    );
  }

  #returned(): void {
    if (--this.#outstandingCount > 0) return;
    this.#outstanding = null;
    for (const resolve of this.#quietWaiters.splice(0)) resolve();
  }

  /** `'skipped'`: the caller goes on behind the record; `'waiting'`: this task goes on by itself, or not at all. */
  #failed(error: unknown, record: FetchedRecord<KI, VI>, attempt: number, epoch: number): "skipped" | "waiting" {
    if (epoch !== this.#epoch) return "waiting";
    if (error instanceof TransactionAbortedError) {
      // Not the record's fault: its producer is about to be recovered, which brings the record again.
      this.drop();
      return "waiting";
    }
    this.#pending = record;
    this.#pendingSinceMs = performance.now();
    try {
      const answer = this.#owner.onProcessingError(error, record as UnknownRecord, attempt);
      if (!isThenable(answer)) return this.#answered(answer, error, record, attempt);
      answer.then(
        (settled) => {
          if (epoch !== this.#epoch) return;
          if (this.#answered(settled, error, record, attempt) === "skipped") this.#done(record);
        },
        (handlerError: unknown) => {
          if (epoch === this.#epoch) this.#owner.fail(handlerError, record as UnknownRecord);
        },
      );
    } catch (handlerError) {
      this.#owner.fail(handlerError, record as UnknownRecord);
    }
    return "waiting";
  }

  #answered(
    answer: ProcessingErrorAnswer,
    error: unknown,
    record: FetchedRecord<KI, VI>,
    attempt: number,
  ): "skipped" | "waiting" {
    if (answer === "skip") {
      this.#pending = null;
      this.#owner.onSkipped(error, record as UnknownRecord);
      return "skipped";
    }
    if (answer === "retry") {
      const epoch = this.#epoch;
      setTimeout(
        () => {
          if (epoch === this.#epoch) this.#retry(record, attempt + 1);
        },
        Math.min(RETRY_BACKOFF_MS * 2 ** (attempt - 1), MAX_RETRY_BACKOFF_MS),
      );
    } else {
      this.#owner.fail(error, record as UnknownRecord);
    }
    return "waiting";
  }

  #retry(record: FetchedRecord<KI, VI>, attempt: number): void {
    const epoch = this.#epoch;
    this.#pendingSinceMs = performance.now();
    try {
      const result = this.#transform(record, this.context);
      if (isThenable(result)) {
        this.#await(record, result, attempt, epoch);
        return;
      }
      if (result !== undefined && result !== null) this.#owner.outputs.write(record as UnknownRecord, result);
    } catch (error) {
      if (this.#failed(error, record, attempt, epoch) === "waiting") return;
    }
    if (epoch === this.#epoch) this.#done(record);
  }

  #done(record: FetchedRecord<KI, VI>): void {
    this.position = record.offset + 1;
    this.#pending = null;
    this.#owner.touched();
    this.#settle();
    this.#owner.resume(this);
  }

  #settle(): void {
    if (this.#settleWaiters.length === 0) return;
    for (const resolve of this.#settleWaiters.splice(0)) resolve();
  }
}

import { isThenable, type Logger, notify, type Observer } from "@eos/core";
import { DeadLetterError, HandlerError, NoDeadLetterPortError } from "../errors.ts";
import type { DeadLetterPort, ErrorAnswer, RecordOutcome } from "../handler.ts";
import type { BusyMeter } from "../member/busy-meter.ts";
import type { GroupMetrics } from "../member/group-metrics.ts";
import type { RecordResult } from "../options.ts";
import type { Delivery, UnknownRecord } from "./delivery.ts";
import { DeliveryAbandoned } from "./delivery-abandoned.ts";
import type { Slots } from "./slots.ts";

export interface HandlingOptions<T> {
  readonly groupId: string;
  readonly handle: (subject: T, delivery: Delivery<T>) => unknown;
  readonly slots: Slots;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly metrics: GroupMetrics;
  readonly meter: BusyMeter;
  readonly deadLetter: DeadLetterPort | undefined;
  readonly onError: (error: unknown, record: UnknownRecord, attempt: number) => ErrorAnswer | PromiseLike<ErrorAnswer>;
  readonly onResult: ((record: UnknownRecord, result: RecordResult) => void) | undefined;
  /** The records of the subject, for `onResult`. */
  readonly recordsOf: (subject: T) => readonly UnknownRecord[];
  /** The answer was to stop. */
  readonly onStop: (error: Error) => void;
  /** The last handler that was outstanding has settled. */
  readonly onIdle: () => void;
}

const RETRY_BACKOFF_MS = 100;
const MAX_RETRY_BACKOFF_MS = 10_000;
const DEAD_LETTER_BACKOFF_MS = 1_000;

/** Gives records (or batches) to the handler, and acts on what comes of it. One for all partitions of a member. */
export class Handling<T> {
  readonly #options: HandlingOptions<T>;
  readonly #inHand = new Set<Delivery<T>>();

  constructor(options: HandlingOptions<T>) {
    this.#options = options;
  }

  /** Deliveries that somebody works on at this moment. */
  get inHand(): ReadonlySet<Delivery<T>> {
    return this.#inHand;
  }

  /** Nobody works on anything that would have to be waited for. */
  get isIdle(): boolean {
    for (const { isUntaken } of this.#inHand) if (!isUntaken) return false;
    return true;
  }

  /** Starts the handler. `true`: it has returned, and the subject is completed; its owner, who knows it by this, is not told. */
  start(delivery: Delivery<T>): boolean {
    delivery.attempt++;
    const startedMs = this.#options.onResult === undefined ? 0 : performance.now();
    let result: unknown;
    try {
      result = this.#options.handle(delivery.subject, delivery);
    } catch (error) {
      this.#take(delivery);
      this.#failed(delivery, error);
      return false;
    }
    if (isThenable(result)) {
      this.#take(delivery);
      // A foreign thenable may throw, or settle more than once.
      Promise.resolve(result).then(
        () => this.#succeeded(delivery),
        (error: unknown) => this.#failed(delivery, error),
      );
      return false;
    }
    if (this.#options.onResult !== undefined) this.#report(delivery, "handled", performance.now() - startedMs);
    return true;
  }

  /** Nobody wants its result any more; its slot is free at once. */
  drop(delivery: Delivery<T>, reason: Error): void {
    delivery.drop(reason);
    this.#letGo(delivery);
  }

  #succeeded(delivery: Delivery<T>): void {
    if (delivery.isDropped) return;
    this.#complete(delivery, "handled");
  }

  #failed(delivery: Delivery<T>, cause: unknown): void {
    if (delivery.isDropped) return;
    if (cause instanceof DeliveryAbandoned) {
      this.drop(delivery, cause);
      return;
    }
    this.#options.metrics.failed++;
    if (!(cause instanceof DeadLetterError)) delivery.failedAfterMs = performance.now() - delivery.sinceMs;
    delivery.sinceMs = performance.now();
    const { record, error } = delivery.owner.blame(delivery, cause);
    let answer: ErrorAnswer | PromiseLike<ErrorAnswer>;
    try {
      answer = this.#options.onError(error, record, delivery.attempt);
    } catch (handlerError) {
      this.#stop(delivery, record, handlerError);
      return;
    }
    if (!isThenable(answer)) {
      this.#act(delivery, record, error, answer);
      return;
    }
    Promise.resolve(answer).then(
      (settled) => this.#act(delivery, record, error, settled),
      (handlerError: unknown) => {
        if (!delivery.isDropped) this.#stop(delivery, record, handlerError);
      },
    );
  }

  #act(delivery: Delivery<T>, record: UnknownRecord, error: unknown, answer: ErrorAnswer): void {
    if (delivery.isDropped) return;
    switch (answer) {
      case "retry":
        this.#backOff(delivery);
        return;
      case "skip":
        this.#skip(delivery, error);
        return;
      case "dead-letter":
        void this.#deadLetter(delivery, record, error);
        return;
      case "stop":
        this.#stop(delivery, record, error);
        return;
      default:
        this.#stop(delivery, record, new TypeError(`onError answered ${String(answer)}`));
    }
  }

  #skip(delivery: Delivery<T>, error: unknown): void {
    const { metrics, logger, observer, groupId } = this.#options;
    for (const { topic, partition, offset } of delivery.owner.blamed(delivery)) {
      metrics.skipped++;
      logger.warn({ groupId, topic, partition, offset, err: error }, "a record was skipped");
      notify(observer, "recordSkipped", { topic, partition, offset, error });
    }
    this.#complete(delivery, "skipped");
  }

  #backOff(delivery: Delivery<T>): void {
    this.#letGo(delivery);
    delivery.phase = "backing-off";
    const waitMs = Math.min(RETRY_BACKOFF_MS * 2 ** (delivery.attempt - 1), MAX_RETRY_BACKOFF_MS);
    delivery.retryTimer = setTimeout(() => {
      delivery.phase = "waiting";
      delivery.owner.again(delivery);
    }, waitMs);
  }

  async #deadLetter(delivery: Delivery<T>, record: UnknownRecord, error: unknown): Promise<void> {
    const { deadLetter, groupId } = this.#options;
    if (deadLetter === undefined) {
      this.#stop(delivery, record, new NoDeadLetterPortError(error));
      return;
    }
    try {
      for (const dead of delivery.owner.blamed(delivery)) {
        if (delivery.isDropped) return;
        delivery.sinceMs = performance.now();
        await deadLetter.send(dead, error, { groupId, attempts: delivery.attempt });
        this.#options.metrics.deadLettered++;
      }
    } catch (cause) {
      if (delivery.isDropped) return;
      // Asked at once, onError may answer the same at once, and so on for ever in one turn of the event loop.
      const failure = new DeadLetterError(record, error, cause);
      delivery.retryTimer = setTimeout(() => this.#failed(delivery, failure), DEAD_LETTER_BACKOFF_MS);
      return;
    }
    if (!delivery.isDropped) this.#complete(delivery, "dead-lettered");
  }

  /** It stays as it is, neither completed nor handled again: the group ends, and its successor begins with it. */
  #stop(delivery: Delivery<T>, record: UnknownRecord, error: unknown): void {
    this.drop(delivery, error instanceof Error ? error : new Error(String(error)));
    this.#options.onStop(new HandlerError(record, error));
  }

  #complete(delivery: Delivery<T>, outcome: RecordOutcome): void {
    const durationMs = outcome === "handled" ? performance.now() - delivery.sinceMs : delivery.failedAfterMs;
    delivery.phase = "completed";
    this.#letGo(delivery);
    this.#report(delivery, outcome, durationMs);
    delivery.owner.completed(delivery, outcome);
  }

  /** Tells `onResult`, if anybody listens. */
  report(records: readonly UnknownRecord[], result: RecordResult): void {
    const { onResult, logger, groupId } = this.#options;
    if (onResult === undefined) return;
    try {
      for (const record of records) onResult(record, result);
    } catch (error) {
      logger.warn({ groupId, err: error }, "onResult threw; it can change nothing");
    }
  }

  #report(delivery: Delivery<T>, outcome: RecordOutcome, durationMs: number): void {
    if (this.#options.onResult === undefined) return;
    const { owner, subject, attempt } = delivery;
    const records = outcome === "handled" ? this.#options.recordsOf(subject) : owner.blamed(delivery);
    this.report(records, { outcome, attempts: attempt, durationMs });
  }

  #take(delivery: Delivery<T>): void {
    delivery.phase = "in-hand";
    delivery.sinceMs = performance.now();
    this.#inHand.add(delivery);
    if (this.#inHand.size === 1) this.#options.meter.enter();
    this.#options.slots.take(delivery.owner);
  }

  #letGo(delivery: Delivery<T>): void {
    if (!this.#inHand.delete(delivery)) return;
    if (this.#inHand.size === 0) this.#options.meter.leave();
    if (this.isIdle) this.#options.onIdle();
    this.#options.slots.release();
  }
}

import type { FetchedRecord } from "@eos/client";
import type { HandlerContext, RecordOutcome } from "../handler.ts";
import type { SlotUser } from "./slots.ts";

export type UnknownRecord = FetchedRecord<unknown, unknown>;

/** The work that a delivery came from. */
export interface DeliveryOwner<T> extends SlotUser {
  /** All of it is completed. */
  completed(delivery: Delivery<T>, outcome: RecordOutcome): void;
  /** It is to be handled again. */
  again(delivery: Delivery<T>): void;
  /** What `onError` is asked about: the record that failed, and with what. */
  blame(delivery: Delivery<T>, error: unknown): { readonly record: UnknownRecord; readonly error: unknown };
  /** The records that a `'dead-letter'` or `'skip'` is about. */
  blamed(delivery: Delivery<T>): readonly UnknownRecord[];
}

/**
 * - `waiting`: for a slot, or for the record before it
 * - `in-hand`: the handler, `onError` or the dead letters have it
 * - `backing-off`: until it is handled again
 * - `completed`
 * - `dropped`: nobody wants its result any more
 */
export type DeliveryPhase = "waiting" | "in-hand" | "backing-off" | "completed" | "dropped";

/** A record or a batch on its way through a handler, and what the handler gets as its context. */
export class Delivery<T> implements HandlerContext {
  readonly subject: T;
  readonly owner: DeliveryOwner<T>;
  /** The key that it keeps its order in; `null` without one. */
  readonly lane: string | null;
  attempt = 0;
  phase: DeliveryPhase = "waiting";
  /** `performance.now()` when it was last given to somebody: the handler, `onError`, or the dead letters. */
  sinceMs = 0;
  /** How long the handler took, last time it failed. */
  failedAfterMs = 0;
  retryTimer: NodeJS.Timeout | null = null;
  /** Ready for somebody who has not come for it yet: nobody has to be waited for. */
  isUntaken = false;
  /** For whoever holds the record without looking at the signal. */
  onDropped: (() => void) | null = null;
  #controller: AbortController | null = null;

  constructor(subject: T, owner: DeliveryOwner<T>, lane: string | null) {
    this.subject = subject;
    this.owner = owner;
    this.lane = lane;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get isDropped(): boolean {
    return this.phase === "dropped";
  }

  /** Completed or dropped: nothing comes of it any more. */
  get isOver(): boolean {
    return this.phase === "completed" || this.phase === "dropped";
  }

  /** Its signal fires, and what becomes of it is ignored. */
  drop(reason: Error): void {
    if (this.isOver) return;
    this.phase = "dropped";
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    // A handler that asks for the signal only now must find it fired.
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
    this.onDropped?.();
  }
}

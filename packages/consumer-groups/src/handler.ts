import type { FetchedRecord } from "@eos/client";
import type { TopicPartition } from "@eos/core";

/** What a handler gets beside its record or batch. */
export interface HandlerContext {
  /**
   * Fires when nobody waits for the result any more: the partition went to another member, the position was moved, or
   * the handler took longer than `maxPollIntervalMs`. What it has done until then may be done again elsewhere.
   */
  readonly signal: AbortSignal;
  /** 1 for the first, more after `onError` answered `'retry'`. */
  readonly attempt: number;
}

/** Records of one partition, in order; there is at least one. */
export interface ConsumedBatch<K, V> extends TopicPartition {
  readonly records: readonly FetchedRecord<K, V>[];
}

/** Handles one record: it is completed when this returns, or when the promise it returns resolves. */
export type RecordHandler<K, V> = (
  record: FetchedRecord<K, V>,
  context: HandlerContext,
) => void | PromiseLike<void> | PromiseLike<unknown>;

/**
 * Handles a batch: all of its records are completed when this returns, or when the promise it returns resolves. Throw a
 * `BatchRecordError` to say which record failed: those before it are completed then.
 */
export type BatchHandler<K, V> = (
  batch: ConsumedBatch<K, V>,
  context: HandlerContext,
) => void | PromiseLike<void> | PromiseLike<unknown>;

/** What to do about a record whose handler failed. */
export type ErrorAnswer = "retry" | "skip" | "dead-letter" | "stop";

/** How a record ended: with its handler's success, or by the answer of `onError`. */
export type RecordOutcome = "handled" | "skipped" | "dead-lettered";

/**
 * Takes records that could not be handled. A record is completed once its promise has resolved; when it fails, `onError`
 * is asked again a second later, with a `DeadLetterError`.
 */
export interface DeadLetterPort {
  send(
    record: FetchedRecord<unknown, unknown>,
    error: unknown,
    context: { readonly groupId: string; readonly attempts: number },
  ): PromiseLike<void> | void;
}

import { callListener, type TopicPartition } from "@eos/core";

/** Where a restore is: what every call of a {@link StateRestoreListener} is told. */
export interface StateRestore {
  /** The changelog's. */
  readonly topicPartition: TopicPartition;
  /** The store's name. */
  readonly store: string;
  /** First offset that is read. */
  readonly startingOffset: number;
  /** The offset at which the restore ends. Offsets are not records: markers and what was compacted count too. */
  readonly endingOffset: number;
}

/**
 * Told of restores, each method optional, as Kafka Streams' listener of this name: once for each store of each task,
 * and again after an abort, when a store rolls forward. It cannot change or delay what happens; what it throws is ignored
 * (the first failure is a process warning).
 */
export interface StateRestoreListener {
  onRestoreStart?(restore: StateRestore): void;
  /** `batchEndOffset`: the next offset to read; `numRestored`: records of this batch. */
  onBatchRestored?(restore: StateRestore & { readonly batchEndOffset: number; readonly numRestored: number }): void;
  /** The store is as the changelog says. `totalRestored`: records since the start. */
  onRestoreEnd?(restore: StateRestore & { readonly totalRestored: number }): void;
  /** It ended before its end: the task goes elsewhere, or an error came. What was restored stays. */
  onRestoreSuspended?(restore: StateRestore & { readonly totalRestored: number }): void;
}

type EventOf<M extends keyof StateRestoreListener> = Parameters<NonNullable<StateRestoreListener[M]>>[0];

/** Never throws. */
export function tellListener<M extends keyof StateRestoreListener>(
  listener: StateRestoreListener | undefined,
  method: M,
  event: EventOf<M>,
): void {
  const call = listener?.[method] as ((event: EventOf<M>) => void) | undefined;
  if (call !== undefined) callListener(call, listener, `a StateRestoreListener's ${method}`, event);
}

import { callListener } from "./listener.ts";
import type { TopicPartition } from "./record.ts";

/** What can be observed: the name of each event and what comes with it. */
export interface ObserverEvents {
  /** A long-lived thing changed its state. */
  readonly stateChanged: { readonly name: string; readonly next: string; readonly previous: string };
  /** The broker acknowledged the commit. `durationMs` is the commit itself, `openMs` the transaction from its begin. */
  readonly transactionCommitted: {
    readonly transactionalId: string;
    readonly durationMs: number;
    readonly openMs: number;
    readonly records: number;
  };
  /** The transaction was aborted; its records will be processed again. `cause` is one word or a short phrase. */
  readonly transactionAborted: {
    readonly transactionalId: string;
    readonly cause: string;
    readonly error: unknown;
  };
  /** Another producer took over the transactional id. */
  readonly producerFenced: { readonly transactionalId: string; readonly error: unknown };
  /** The producer got a fresh epoch (`InitProducerId`) after a failure. */
  readonly producerReinitialised: { readonly transactionalId: string; readonly cause: string };
  /** The group reached a new generation. `durationMs` runs from the start of the rebalance to the new assignment. */
  readonly rebalanced: {
    readonly groupId: string;
    readonly generationId: number;
    readonly durationMs: number;
    readonly assigned: readonly TopicPartition[];
    readonly revoked: readonly TopicPartition[];
  };
  /** Offsets of a group were committed outside a transaction; each is the next one to read. */
  readonly offsetsCommitted: {
    readonly groupId: string;
    readonly memberId: string;
    readonly durationMs: number;
    readonly offsets: readonly (TopicPartition & { readonly offset: number })[];
  };
  /** The coordinator refused a commit: the group has gone on without this member, nothing of it was committed. */
  readonly commitRefused: {
    readonly groupId: string;
    readonly memberId: string;
    readonly generationId: number;
    readonly partitions: readonly TopicPartition[];
    readonly error: unknown;
  };
  /** A member of a consumer group ended with an error. `willBeReplaced`: another takes its place after a backoff. */
  readonly memberFailed: { readonly groupId: string; readonly error: Error; readonly willBeReplaced: boolean };
  /** A record was left out because the handler for such errors said so. */
  readonly recordSkipped: TopicPartition & { readonly offset: number; readonly error: unknown };
}

/**
 * Callbacks that watch, each optional. They run on the processing path, so they should be short; they cannot change
 * nor delay what happens, and what they throw is ignored (the first failure of each is a process warning).
 */
export type Observer = { readonly [E in keyof ObserverEvents]?: (event: ObserverEvents[E]) => void };

/** Tells the observer, if there is one and it listens to this event. Never throws. */
export function notify<E extends keyof ObserverEvents>(
  observer: Observer | undefined,
  name: E,
  event: ObserverEvents[E],
): void {
  const listener = observer?.[name];
  if (listener !== undefined) callListener(listener, observer, `the observer's ${name}`, event);
}

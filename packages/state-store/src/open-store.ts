import type { PartitionPosition } from "@eos/core";
import { createAtLeastOnceSink, type AtLeastOnceSink } from "./changelog/at-least-once-sink.ts";
import { Turns } from "./engine/turns.ts";
import type { StoreBuilder } from "./store-builder.ts";
import type { StoreHost } from "./store-host.ts";

/** A store that is used without a processor. */
export interface OpenedStore<S> {
  readonly store: S;
  /**
   * What was written since the last commit goes to the changelog and then to the disk. Outside a transaction that is at
   * least once: what a crash or an error leaves in the changelog is part of the store when it is opened again.
   *
   * @throws TransactionAbortedError, ConnectionError, StoreIoError: the store went back to what its changelog says. When
   * it cannot, it takes nothing until a later commit has brought it there
   */
  commit(): Promise<void>;
  /** Drops what is not committed. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface OpenStoreOptions {
  /** @defaultValue 0 */
  readonly partition?: number;
  /** Gives the opening up, the restore included. */
  readonly signal?: AbortSignal;
}

const NO_INPUTS: readonly PartitionPosition[] = [];

/**
 * Opens one partition of a store, restored to the end of its changelog. Only one process may have it open: nothing
 * fences another one here, as a processor's transactions do.
 *
 * @throws TypeError, MisconfiguredInternalTopicError, TaskDirectoryLockedError, StoreIoError, ConnectionError
 */
export async function openStore<S, R>(
  builder: StoreBuilder<S, R>,
  host: StoreHost,
  { partition = 0, signal = new AbortController().signal }: OpenStoreOptions = {},
): Promise<OpenedStore<S>> {
  await builder.prepare(host);
  let sink: AtLeastOnceSink | null = null;
  let failure: Error | null = null;
  const participant = await builder.open({
    taskId: `0_${partition}`,
    partition,
    get timestamp() {
      return host.clock.now();
    },
    signal,
    async sink(topic) {
      sink = await createAtLeastOnceSink(host.client, { topic, partition });
      return sink;
    },
    fail: (error) => {
      failure ??= error;
    },
  });
  /** The store is not what its changelog says: a commit now would leave a gap behind it. */
  let isBehind = false;
  async function recover(): Promise<void> {
    isBehind = true;
    participant.abort();
    failure = null;
    // What was put while the commit was failing is on its way to the changelog: the restore brings it, if it arrives.
    await sink?.flush().catch(() => undefined);
    await participant.restore(NO_INPUTS, signal);
    isBehind = false;
  }
  async function close(): Promise<void> {
    await participant.close();
    await sink?.close();
  }
  try {
    await participant.restore(NO_INPUTS, signal);
  } catch (error) {
    await close();
    throw error;
  }
  async function commit(): Promise<void> {
    if (isBehind) await recover();
    try {
      if (failure !== null) throw failure;
      participant.beginCommit();
      await sink?.flush();
      await participant.committed(NO_INPUTS);
    } catch (error) {
      await recover();
      throw error;
    }
  }
  // A second commit that began within the first would take its place below what is being filled.
  const turns = new Turns();
  const closeInTurn = (): Promise<void> => turns.take(close);
  return {
    store: participant.state,
    commit: () => turns.take(commit),
    close: closeInTurn,
    [Symbol.asyncDispose]: closeInTurn,
  };
}

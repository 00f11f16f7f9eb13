import { type Client, OffsetOutOfRangeError, type RecordBatch, RecordCursor } from "@eos/client";
import type { Clock, Logger, TopicPartition } from "@eos/core";
import { ChangelogTruncatedError } from "../errors.ts";
import { unseenRange } from "./changelog-range.ts";
import { type StateRestore, type StateRestoreListener, tellListener } from "./restore-listener.ts";

/**
 * Takes batches of the changelog over, in the order of the log. What it has taken over may be the last: `nextOffset` is
 * where to go on.
 *
 * @param batches - records below `from` are to be left out: open each with `cursor.open(batch, from)`
 */
export type ApplyChangelog = (
  batches: readonly RecordBatch[],
  from: number,
  nextOffset: number,
) => Promise<void> | void;

/** As often as Kafka Streams says how far it is. */
const PROGRESS_MS = 10_000;

export interface RestoreOptions {
  readonly client: { readonly admin: Pick<Client["admin"], "listOffsets"> } & Pick<Client, "readChunks">;
  readonly topic: string;
  readonly partition: number;
  /** The store's name, for the listener and the log. */
  readonly store: string;
  /** Next offset to read; −1 when nothing is known of it: the earliest. */
  readonly from: number;
  /** Called with up to 4 MiB at a time, once the call before has resolved; the next chunk is fetched meanwhile. */
  readonly apply: ApplyChangelog;
  readonly listener?: StateRestoreListener | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RestoreResult {
  /** Next offset to read. */
  readonly position: number;
  readonly records: number;
}

/**
 * Brings a store from its position to where its changelog ends now, without what was aborted. Waits for transactions
 * that are open there now, at most as long as their timeout. Calls at the same time share the client's requests. It may
 * be given up anywhere: the next one goes on from the last `nextOffset` that was applied.
 *
 * @throws ChangelogTruncatedError when the changelog does not hold what comes after `from`; what `apply` throws; the
 * signal's reason; UnknownTopicError, CorruptRecordError, AuthorizationError, ConnectionError
 */
export async function restoreChangelog(options: RestoreOptions): Promise<RestoreResult> {
  const { client, topic, partition, store, from, apply, listener, signal, clock, logger } = options;
  const topicPartition: TopicPartition = { topic, partition };
  const { start, end } = await unseenRange(client.admin, topicPartition, from, signal);
  const startedMs = clock.monotonicMs();
  const restore: StateRestore = { topicPartition, store, startingOffset: start, endingOffset: end };
  let position = start;
  let totalRestored = 0;
  const ended = new AbortController();
  void every(clock, PROGRESS_MS, ended.signal, () => {
    const at = { store, topic, partition, position, end, records: totalRestored };
    logger.info(at, "Restoring store; a position that does not move waits for a transaction to end");
  });
  tellListener(listener, "onRestoreStart", restore);
  try {
    const reading = { topic, partition, from: start, to: end, ...(signal === undefined ? {} : { signal }) };
    for await (const { batches, nextOffset } of client.readChunks(reading)) {
      const numRestored = countRecords(batches, position);
      await apply(batches, position, nextOffset);
      position = nextOffset;
      totalRestored += numRestored;
      tellListener(listener, "onBatchRestored", { ...restore, batchEndOffset: position, numRestored });
    }
  } catch (error) {
    tellListener(listener, "onRestoreSuspended", { ...restore, totalRestored });
    throw asTruncated(error, topicPartition, position);
  } finally {
    ended.abort();
  }
  tellListener(listener, "onRestoreEnd", { ...restore, totalRestored });
  if (end > start) {
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    logger.info(
      { store, topic, partition, from: start, to: position, records: totalRestored, durationMs },
      "Store restored",
    );
  }
  return { position, records: totalRestored };
}

async function every(clock: Clock, ms: number, signal: AbortSignal, work: () => void): Promise<void> {
  for (;;) {
    await clock.sleep(ms, signal).catch(() => undefined);
    if (signal.aborted) return;
    work();
  }
}

/** Records may be deleted while they are read: what came before them is applied, what comes after does not follow on it. */
export function asTruncated(error: unknown, changelog: TopicPartition, position: number): unknown {
  if (!(error instanceof OffsetOutOfRangeError)) return error;
  return new ChangelogTruncatedError(changelog, `offset ${position} is not there any more`, error);
}

function countRecords(batches: readonly RecordBatch[], from: number): number {
  let count = 0;
  for (const batch of batches) count += batch.baseOffset >= from ? batch.count : countFrom(batch, from);
  return count;
}

function countFrom(batch: RecordBatch, from: number): number {
  const cursor = new RecordCursor();
  cursor.open(batch, from);
  let count = 0;
  while (cursor.next()) count++;
  return count;
}

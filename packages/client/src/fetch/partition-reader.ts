import type { Clock, Logger } from "@eos/core";
import type { Cluster } from "../network/cluster.ts";
import type { RecordBatch } from "../records/record-batch-reader.ts";
import { Fetcher } from "./fetcher.ts";
import { PartitionQueue } from "./partition-queue.ts";

export interface PartitionReaderOptions {
  readonly topic: string;
  readonly partition: number;
  /** First offset to read. */
  readonly from: number;
  /** Ends before this offset. A batch may hold later records: look at each record's offset. */
  readonly to: number;
  /** @default 'read_committed' */
  readonly isolation?: "read_committed" | "read_uncommitted";
  readonly signal?: AbortSignal;
}

/**
 * Reads `[from, to)` of one partition without a group, batch by batch: what restores a store from its changelog. It
 * follows batch headers, so that it never waits for an offset that compaction or a marker has taken away (D2).
 */
export async function* readPartition(
  cluster: Cluster,
  clock: Clock,
  logger: Logger,
  options: PartitionReaderOptions,
): AsyncGenerator<RecordBatch> {
  const { topic, partition, from, to, isolation = "read_committed", signal } = options;
  if (from >= to) return;
  await cluster.topic(topic);
  const queue = new PartitionQueue(topic, partition, from, null);
  const failed: { error: Error | null } = { error: null };
  let wake = (): void => {};
  const fetcher = new Fetcher({
    cluster,
    clock,
    logger,
    isolation,
    maxWaitMs: 500,
    maxBytes: 32 * 1024 * 1024,
    maxPartitionBytes: 1024 * 1024,
    maxQueueBytes: 4 * 1024 * 1024,
    onFetched: ({ position }) => {
      // A long poll beyond the end would hold up whoever reads next on this connection.
      queue.paused = position >= to;
      wake();
    },
    onError: (_queue, error) => {
      failed.error = error;
      wake();
    },
  });
  const onAbort = (): void => wake();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    fetcher.add(queue);
    for (;;) {
      signal?.throwIfAborted();
      if (failed.error !== null) throw failed.error;
      const batch = queue.shift();
      if (batch === null) {
        const { promise, resolve } = withResolvers();
        wake = resolve;
        await promise;
        continue;
      }
      if (batch.count > 0) yield batch;
      queue.release(batch);
      fetcher.wake();
      if (batch.nextOffset >= to) return;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    fetcher.close();
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

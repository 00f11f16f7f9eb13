import type { Admin, Client, GroupGeneration } from "@eos/client";
import { awaitStableOffsets, OffsetBatch } from "@eos/client";
import {
  type Clock,
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  formatTopicPartition,
  type Logger,
  type TopicPartition,
} from "@eos/core";
import { belongsToApplication } from "./transactional-id.ts";

/** A committed offset; `null` where the group has none. */
export interface StableOffset extends TopicPartition {
  readonly offset: number | null;
  /** The producer that claimed the partition or committed it last. */
  readonly transactionalId: string | null;
}

export interface StableOffsetsOptions {
  readonly admin: Admin;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly applicationId: string;
  /** This process' own transactional id, which is never fenced; `null` under the task scope. */
  readonly ownTransactionalId: string | null;
  /** How long a transaction of this application may last. */
  readonly transactionTimeoutMs: number;
  readonly signal: AbortSignal;
}

const POLL_MS = 20;
/** A transaction that ends by itself does so well within this time; after it, its owner is presumed dead. */
const PRESUMED_DEAD_MS = 150;
/** Brokers look for transactions that have timed out every 10 s (`transaction.abort.timed.out.transaction.cleanup.interval.ms`). */
const TIMED_OUT_WITHIN_MS = 15_000;

/**
 * Reads the group's offsets once no transaction holds them (`requireStable`, KIP-447).
 *
 * Process scope: a dead predecessor's transaction holds its partitions' offsets until it times out, since nobody else
 * uses its id. Its id stands in the offset's metadata, so after a short wait it is fenced by InitProducerId, which is
 * what Admin `fenceProducers` does. A predecessor that lives after all loses that transaction and nothing else: its
 * commit is refused, it proves its membership, takes a new epoch and replays.
 *
 * A transaction that has no end in the log of the group's offsets holds them for ever (see {@link reportHanging}).
 */
export async function stableOffsets(
  partitions: readonly TopicPartition[],
  options: StableOffsetsOptions,
): Promise<StableOffset[]> {
  const { admin, clock, applicationId, signal } = options;
  const fenced = new Set<string>();
  let isReported = false;
  const committed = await awaitStableOffsets(admin, applicationId, partitions, {
    clock,
    signal,
    pollMs: POLL_MS,
    onHeld: async (held, heldMs) => {
      if (options.ownTransactionalId !== null && heldMs > PRESUMED_DEAD_MS) {
        await fencePredecessors(held, fenced, options);
      }
      if (isReported || heldMs <= options.transactionTimeoutMs + TIMED_OUT_WITHIN_MS) return;
      isReported = true;
      reportHanging(held, heldMs, options);
    },
  });
  return committed.map(({ topic, partition, offset, metadata }) => ({
    topic,
    partition,
    offset: offset < 0 ? null : offset,
    transactionalId: decodeOffsetMetadata(metadata)?.transactionalId ?? null,
  }));
}

/**
 * A transaction outlives its timeout when the broker has forgotten one of its markers, as Kafka 4.3 does for a partition
 * that has no leader at the moment they are sent (`KRaftMetadataCache.getPartitionLeaderEndpoint` answers as for one that
 * was deleted). Nobody here can tell whether it was committed, so to end it is an operator's decision.
 */
function reportHanging(
  partitions: readonly TopicPartition[],
  heldMs: number,
  { logger, applicationId }: StableOffsetsOptions,
): void {
  logger.error(
    { groupId: applicationId, partitions: partitions.map(formatTopicPartition), heldMs: Math.round(heldMs) },
    "a transaction holds the offsets of these partitions for longer than it may last; they are not processed before it " +
      "has ended: find it in __consumer_offsets with kafka-transactions.sh find-hanging, and end it with abort",
  );
}

/**
 * Process scope: ends the open transactions of predecessors that are not in the group any more. A transaction that had
 * not come to its offsets yet when its owner died holds no offset, and so nobody waits for it here; but it holds the
 * outputs of everybody back from those who read committed records, until it times out.
 *
 * @param living - the transactional ids of all processes in the group
 */
export async function fenceTheDead(
  partitions: readonly TopicPartition[],
  living: ReadonlySet<string>,
  options: StableOffsetsOptions,
): Promise<void> {
  await fencePredecessors(partitions, new Set(living), options);
}

async function fencePredecessors(
  partitions: readonly TopicPartition[],
  fenced: Set<string>,
  { admin, logger, applicationId, ownTransactionalId }: StableOffsetsOptions,
): Promise<void> {
  const committed = await admin.committedOffsets(applicationId, partitions, { requireStable: false });
  for (const { topic, partition, metadata } of committed) {
    const predecessor = decodeOffsetMetadata(metadata)?.transactionalId;
    if (predecessor === undefined || predecessor === ownTransactionalId || fenced.has(predecessor)) continue;
    if (!belongsToApplication(applicationId, predecessor)) continue;
    fenced.add(predecessor);
    logger.info(
      { partition: formatTopicPartition({ topic, partition }), predecessor },
      "the predecessor is gone, or its transaction holds this partition's offset: ending its transaction",
    );
    await admin.fenceProducer(predecessor);
  }
}

/**
 * Process scope: writes this producer's id beside the partitions' offsets before anything of them is processed, so that
 * a successor finds it even if this process dies in its first transaction.
 */
export async function claimPartitions(
  offsets: readonly (TopicPartition & { readonly offset: number })[],
  generation: GroupGeneration,
  transactionalId: string,
  client: Pick<Client, "commitOffsets">,
): Promise<void> {
  if (offsets.length === 0) return;
  const batch = new OffsetBatch();
  const metadata = encodeOffsetMetadata({ transactionalId });
  for (const { topic, partition, offset } of offsets) batch.set(topic, partition, offset, metadata);
  await client.commitOffsets({ generation, offsets: batch });
}

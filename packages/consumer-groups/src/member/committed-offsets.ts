import { type Admin, brokerError, startPositions } from "@eos/client";
import {
  type Clock,
  decodeOffsetMetadata,
  formatTopicPartition,
  type Logger,
  type OffsetRange,
  type TopicPartition,
} from "@eos/core";

/** Where a partition is gone on with. */
export interface StartPosition extends TopicPartition {
  readonly offset: number;
  /** What was completed beyond it before. */
  readonly completed: readonly OffsetRange[];
  /** It depends on when it was asked for: a successor would begin elsewhere, and pass over what lies between. */
  readonly owesCommit: boolean;
}

export interface CommittedOffsetsOptions {
  readonly admin: Admin;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
  readonly autoOffsetReset: "earliest" | "latest" | "none";
}

const UNSTABLE_OFFSET_COMMIT = 88;
const POLL_MS = 50;
/** Transactions end, or time out, sooner. */
const OVERDUE_MS = 30_000;

/**
 * The group's offsets, once no transaction holds them any more (`requireStable`, KIP-447): somebody may commit this
 * group's offsets in transactions. Metadata that is not ours is ignored.
 *
 * @throws NoCommittedOffsetError, BrokerError, AuthorizationError; the signal's reason
 */
export async function committedPositions(
  partitions: readonly TopicPartition[],
  { admin, clock, logger, groupId, autoOffsetReset }: CommittedOffsetsOptions,
  signal: AbortSignal,
): Promise<StartPosition[]> {
  if (partitions.length === 0) return [];
  const startedMs = clock.monotonicMs();
  for (let isReported = false; ;) {
    signal.throwIfAborted();
    const committed = await admin.committedOffsets(groupId, partitions, { requireStable: true });
    const refused = committed.find(({ errorCode }) => errorCode !== 0 && errorCode !== UNSTABLE_OFFSET_COMMIT);
    // Not to be mistaken for a partition without an offset, which begins anew.
    if (refused !== undefined) {
      const { topic, partition, errorCode } = refused;
      throw brokerError({ api: "OffsetFetch", kafkaCode: errorCode, groupId, topic, partition });
    }
    if (committed.every(({ errorCode }) => errorCode === 0)) {
      const known = committed.map(({ topic, partition, offset, metadata }) => ({
        topic,
        partition,
        offset: offset < 0 ? null : offset,
        completed: offset < 0 ? [] : (decodeOffsetMetadata(metadata, offset)?.completed ?? []),
        owesCommit: offset < 0 && autoOffsetReset === "latest",
      }));
      return await startPositions(admin, groupId, known, autoOffsetReset);
    }
    if (!isReported && clock.monotonicMs() - startedMs > OVERDUE_MS) {
      isReported = true;
      const held = committed.filter(({ errorCode }) => errorCode !== 0).map(formatTopicPartition);
      logger.error({ groupId, partitions: held }, "a transaction that does not end holds the group's offsets");
    }
    await clock.sleep(POLL_MS, signal);
  }
}

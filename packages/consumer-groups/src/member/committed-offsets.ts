import { type Admin, awaitStableOffsets, startPositions } from "@eos/client";
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
  let isReported = false;
  const committed = await awaitStableOffsets(admin, groupId, partitions, {
    clock,
    signal,
    pollMs: POLL_MS,
    onHeld: (held, heldMs) => {
      if (isReported || heldMs <= OVERDUE_MS) return;
      isReported = true;
      const fields = { groupId, partitions: held.map(formatTopicPartition) };
      logger.error(fields, "a transaction that does not end holds the group's offsets");
    },
  });
  const known = committed.map(({ topic, partition, offset, metadata }) => ({
    topic,
    partition,
    offset: offset < 0 ? null : offset,
    completed: offset < 0 ? [] : (decodeOffsetMetadata(metadata, offset)?.completed ?? []),
    owesCommit: offset < 0 && autoOffsetReset === "latest",
  }));
  return await startPositions(admin, groupId, known, autoOffsetReset);
}

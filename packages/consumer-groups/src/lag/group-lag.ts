import type { TopicPartition } from "@eos/core";
import { type LagState, worstLagState } from "./lag-state.ts";

/** How far the group is behind in one partition. */
export interface PartitionLag extends TopicPartition {
  /** Offset of the next record to read; `null` when the group has not committed any. */
  readonly offset: number | null;
  /** The last stable offset: where the first open transaction begins, or the end. */
  readonly endOffset: number;
  /**
   * Offsets from the committed one to the end, transaction markers and what compaction removed included. Without a commit
   * they count from where the group begins by its `autoOffsetReset`; `kafka-consumer-groups.sh` shows `-` then.
   */
  readonly records: number;
  /** About how old the oldest record is that is not yet committed; `null` when it is older than what was watched. */
  readonly seconds: number | null;
  readonly state: LagState;
}

/** How far the group is behind. */
export interface GroupLag {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  /** The sum over the partitions. */
  readonly records: number;
  /** The largest of one partition (Kafka's `records-lag-max`). */
  readonly maxRecords: number;
  /** The largest of one partition; `null` when that of one is unknown, which may be the largest. */
  readonly maxSeconds: number | null;
  /** The worst of the partitions. */
  readonly state: LagState;
  /** By topic and number. */
  readonly partitions: readonly PartitionLag[];
}

/** Sums the partitions up, and puts them in order. */
export function groupLag(timeMs: number, partitions: readonly PartitionLag[]): GroupLag {
  const seconds = partitions.map((partition) => partition.seconds);
  return {
    timeMs,
    records: partitions.reduce((sum, { records }) => sum + records, 0),
    maxRecords: partitions.reduce((max, { records }) => Math.max(max, records), 0),
    maxSeconds: seconds.reduce((max, of) => (max === null || of === null ? null : Math.max(max, of)), 0),
    state: worstLagState(partitions.map(({ state }) => state)),
    partitions: [...partitions].sort(byTopicAndNumber),
  };
}

function byTopicAndNumber(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition;
}

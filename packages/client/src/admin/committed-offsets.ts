import type { Clock, TopicPartition } from "@eos/core";
import { brokerError, isConnectionLoss } from "../errors/errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { Patience } from "../network/patience.ts";
import { offsetFetch } from "../protocol/offset-fetch.ts";
import { byTopic } from "./by-topic.ts";

export interface CommittedOffset extends TopicPartition {
  /** Offset of the next record to read; −1: nothing committed. */
  readonly offset: number;
  readonly metadata: string | null;
  /** Kafka's code; 88, UNSTABLE_OFFSET_COMMIT, while a transaction holds a commit for the partition that has not ended. */
  readonly errorCode: number;
}

export interface CommittedOffsetsOptions {
  /**
   * Whether a partition with a commit in an open transaction answers error code 88 instead of the offset before it (KIP-447).
   * @defaultValue true
   */
  readonly requireStable?: boolean;
}

const TIMEOUT_MS = 30_000;

/** Asks the group's coordinator, wherever it is at the time. */
export async function fetchCommittedOffsets(
  cluster: Cluster,
  clock: Clock,
  groupId: string,
  partitions: readonly TopicPartition[],
  { requireStable = true }: CommittedOffsetsOptions,
): Promise<CommittedOffset[]> {
  const request = offsetFetch({
    groupId,
    topics: byTopic(partitions, ({ partition }) => partition),
    requireStable,
  });
  const patience = new Patience(clock, TIMEOUT_MS);
  for (;;) {
    try {
      const { errorCode, topics } = await cluster.send(await cluster.coordinator("group", groupId), request);
      if (errorCode === 0) return topics.flatMap(({ topic, partitions: of }) => of.map((p) => ({ topic, ...p })));
      const error = brokerError({ api: "OffsetFetch", kafkaCode: errorCode, groupId });
      if (error.kafkaClass !== "refind-coordinator") throw error;
      cluster.forgetCoordinator("group", groupId);
      await patience.pause(error);
    } catch (error) {
      if (!(error instanceof Error) || !isConnectionLoss(error)) throw error;
      await patience.pause(error);
    }
  }
}

import { type Admin, UnknownTopicError } from "@eos/client";
import type { TopicPartition } from "@eos/core";
import type { ResolvedGroupOptions } from "../resolved-options.ts";
import type { LagSource } from "./lag-monitor.ts";

/** The offsets as the brokers know them: of the whole group, whoever its members are. */
export function adminLagSource(
  admin: Admin,
  { groupId, topics, autoOffsetReset }: Pick<ResolvedGroupOptions, "groupId" | "topics" | "autoOffsetReset">,
): LagSource {
  return {
    async committed() {
      const names =
        topics instanceof RegExp ? (await admin.listTopics()).filter((name) => name.search(topics) >= 0) : topics;
      const partitions = (await Promise.all(names.map((topic) => partitionsOf(admin, topic)))).flat();
      // A commit in a transaction that is still open is not there yet; the one before it is.
      const committed = await admin.committedOffsets(groupId, partitions, { requireStable: false });
      const answered = committed.filter(({ errorCode }) => errorCode === 0);
      return answered.map(({ topic, partition, offset, metadata }) => ({
        topic,
        partition,
        offset: offset < 0 ? null : offset,
        metadata,
      }));
    },
    endOffsets: (partitions) => admin.listOffsets(partitions, "latest"),
    startOffsets: (partitions) => admin.listOffsets(partitions, autoOffsetReset === "latest" ? "latest" : "earliest"),
  };
}

/** None, of a topic that has been deleted. */
async function partitionsOf(admin: Admin, topic: string): Promise<TopicPartition[]> {
  try {
    const count = await admin.partitionCount(topic);
    return Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  } catch (error) {
    if (error instanceof UnknownTopicError) return [];
    throw error;
  }
}

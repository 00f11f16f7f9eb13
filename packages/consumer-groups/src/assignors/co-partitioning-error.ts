import { EosError } from "@eos/core";

/** The topics of a group cannot be read partition by partition: their counts differ, or what the members subscribe to. */
export class CoPartitioningError extends EosError {
  /** Partitions by topic, as far as the topics exist. */
  readonly partitionCounts: ReadonlyMap<string, number>;

  /** @param reason - what else there is to say than the topics and their counts */
  constructor(partitionCounts: ReadonlyMap<string, number>, reason?: string) {
    // As Kafka Streams says it.
    const counts = [...partitionCounts].map(([topic, count]) => `${topic}=${count}`).join(", ");
    const message = `Topics not co-partitioned: [{${counts}}]`;
    super(reason === undefined ? message : `${message}; ${reason}`, {
      code: "EOS_CO_PARTITIONING",
      severity: "fatal",
      hint: "Give all the topics the same number of partitions and all members of the group the same topics, or use another assignor.",
    });
    this.partitionCounts = partitionCounts;
  }
}

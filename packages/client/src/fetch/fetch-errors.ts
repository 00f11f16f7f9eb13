import { EosError, formatTopicPartition, type TopicPartition } from "@eos/core";

/** The offset to read from does not exist (any more). Stock kafkajs jumps, and commits the jump (D7). */
export class OffsetOutOfRangeError extends EosError {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;

  constructor({ topic, partition, offset }: TopicPartition & { readonly offset: number }) {
    super(`offset ${offset} of ${formatTopicPartition({ topic, partition })} is out of range`, {
      code: "EOS_OFFSET_OUT_OF_RANGE",
      severity: "fatal",
      hint: "Records were deleted before they were read, or the topic was created anew. Decide where to go on, and set the group's offset there.",
    });
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
  }
}

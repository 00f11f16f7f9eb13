import { OFFSET_COMMIT } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";
import { readTopicErrorCodes, type TopicErrorCodes } from "./topic-error-codes.ts";

/** Offsets to commit for one topic. */
export interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    /** The offset of the next record to read. */
    readonly offset: number;
    readonly metadata: string | null;
  }[];
}

export interface OffsetCommitRequest {
  readonly groupId: string;
  /** −1 commits from outside the group. */
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly topics: readonly TopicOffsets[];
}

export interface OffsetCommitResponse extends KafkaResponse {
  readonly topics: readonly TopicErrorCodes[];
}

/**
 * ```
 * OffsetCommit Request v8 => group_id generation_id member_id group_instance_id
 *   [name [partition offset leader_epoch metadata TAG] TAG] TAG
 * OffsetCommit Response v8 => throttle_time_ms [name [partition error_code TAG] TAG] TAG
 * ```
 */
export function offsetCommit(request: OffsetCommitRequest): KafkaRequest<OffsetCommitResponse> {
  const body = new ByteWriter(512)
    .compactString(request.groupId)
    .int32(request.generationId)
    .compactString(request.memberId)
    .compactNullableString(request.groupInstanceId)
    .compactArray(request.topics, (w, topic) =>
      w
        .compactString(topic.topic)
        .compactArray(topic.partitions, (v, p) =>
          v.int32(p.partition).int64(p.offset).int32(-1).compactNullableString(p.metadata).tags(),
        )
        .tags(),
    )
    .tags()
    .finish();
  return kafkaRequest(OFFSET_COMMIT, 8, [body], decodeOffsetCommit);
}

function decodeOffsetCommit(reader: ByteReader): OffsetCommitResponse {
  return { throttleTimeMs: reader.int32(), topics: readTopicErrorCodes(reader) };
}

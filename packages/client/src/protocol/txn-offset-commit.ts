import { TXN_OFFSET_COMMIT } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { TopicOffsets } from "./offset-commit.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";
import { readTopicErrorCodes, type TopicErrorCodes } from "./topic-error-codes.ts";

export interface TxnOffsetCommitRequest {
  /** 5 with transaction version 2 (adds the group to the transaction by itself, KIP-890), else 3. */
  readonly version: 3 | 5;
  readonly transactionalId: string;
  readonly groupId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Of the generation the records were fetched in (KIP-447). */
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly topics: readonly TopicOffsets[];
}

export interface TxnOffsetCommitResponse extends KafkaResponse {
  readonly topics: readonly TopicErrorCodes[];
}

/**
 * ```
 * TxnOffsetCommit Request v3, v5 => transactional_id group_id producer_id producer_epoch generation_id member_id
 *   group_instance_id [name [partition offset leader_epoch metadata TAG] TAG] TAG
 * TxnOffsetCommit Response v3, v5 => throttle_time_ms [name [partition error_code TAG] TAG] TAG
 * ```
 */
export function txnOffsetCommit(request: TxnOffsetCommitRequest): KafkaRequest<TxnOffsetCommitResponse> {
  const body = new ByteWriter(512)
    .compactString(request.transactionalId)
    .compactString(request.groupId)
    .int64(request.producerId)
    .int16(request.producerEpoch)
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
  return kafkaRequest(TXN_OFFSET_COMMIT, request.version, [body], decodeTxnOffsetCommit);
}

function decodeTxnOffsetCommit(reader: ByteReader): TxnOffsetCommitResponse {
  return { throttleTimeMs: reader.int32(), topics: readTopicErrorCodes(reader) };
}

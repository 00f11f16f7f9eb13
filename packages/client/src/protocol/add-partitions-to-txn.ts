import { ADD_PARTITIONS_TO_TXN } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";
import { readTopicErrorCodes, type TopicErrorCodes } from "./topic-error-codes.ts";

export interface AddPartitionsToTxnRequest {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

export interface AddPartitionsToTxnResponse extends KafkaResponse {
  readonly topics: readonly TopicErrorCodes[];
}

/**
 * ```
 * AddPartitionsToTxn Request v3 => transactional_id producer_id producer_epoch [name [partition] TAG] TAG
 * AddPartitionsToTxn Response v3 => throttle_time_ms [name [partition error_code TAG] TAG] TAG
 * ```
 */
export function addPartitionsToTxn(request: AddPartitionsToTxnRequest): KafkaRequest<AddPartitionsToTxnResponse> {
  const body = new ByteWriter()
    .compactString(request.transactionalId)
    .int64(request.producerId)
    .int16(request.producerEpoch)
    .compactArray(request.topics, (w, topic) =>
      w
        .compactString(topic.topic)
        .compactArray(topic.partitions, (v, partition) => v.int32(partition))
        .tags(),
    )
    .tags()
    .finish();
  return kafkaRequest(ADD_PARTITIONS_TO_TXN, 3, [body], decodeAddPartitionsToTxn);
}

function decodeAddPartitionsToTxn(reader: ByteReader): AddPartitionsToTxnResponse {
  return { throttleTimeMs: reader.int32(), topics: readTopicErrorCodes(reader) };
}

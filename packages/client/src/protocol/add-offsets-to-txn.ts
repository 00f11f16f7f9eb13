import { ADD_OFFSETS_TO_TXN } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface AddOffsetsToTxnRequest {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly groupId: string;
}

export interface AddOffsetsToTxnResponse extends KafkaResponse {
  readonly errorCode: number;
}

/**
 * ```
 * AddOffsetsToTxn Request v3 => transactional_id producer_id producer_epoch group_id TAG
 * AddOffsetsToTxn Response v3 => throttle_time_ms error_code TAG
 * ```
 */
export function addOffsetsToTxn(request: AddOffsetsToTxnRequest): KafkaRequest<AddOffsetsToTxnResponse> {
  const body = new ByteWriter()
    .compactString(request.transactionalId)
    .int64(request.producerId)
    .int16(request.producerEpoch)
    .compactString(request.groupId)
    .tags()
    .finish();
  return kafkaRequest(ADD_OFFSETS_TO_TXN, 3, [body], decodeAddOffsetsToTxn);
}

function decodeAddOffsetsToTxn(reader: ByteReader): AddOffsetsToTxnResponse {
  return { throttleTimeMs: reader.int32(), errorCode: reader.int16() };
}

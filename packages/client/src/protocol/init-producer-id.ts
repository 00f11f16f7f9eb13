import { INIT_PRODUCER_ID } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readProducerId } from "./producer-id.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface InitProducerIdRequest {
  /** `null`: an idempotent producer without transactions. */
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
  /** Id and epoch held so far, when only its holder may go on with them (KIP-360); else −1: whoever held the id is fenced. */
  readonly producerId?: bigint;
  readonly producerEpoch?: number;
}

export interface InitProducerIdResponse extends KafkaResponse {
  readonly errorCode: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/**
 * ```
 * InitProducerId Request v4 => transactional_id transaction_timeout_ms producer_id producer_epoch TAG
 * InitProducerId Response v4 => throttle_time_ms error_code producer_id producer_epoch TAG
 * ```
 */
export function initProducerId(request: InitProducerIdRequest): KafkaRequest<InitProducerIdResponse> {
  const body = new ByteWriter(96)
    .compactNullableString(request.transactionalId)
    .int32(request.transactionTimeoutMs)
    .int64(request.producerId ?? -1n)
    .int16(request.producerEpoch ?? -1)
    .tags()
    .finish();
  return kafkaRequest(INIT_PRODUCER_ID, 4, [body], decodeInitProducerId);
}

function decodeInitProducerId(reader: ByteReader): InitProducerIdResponse {
  return {
    throttleTimeMs: reader.int32(),
    errorCode: reader.int16(),
    producerId: readProducerId(reader),
    producerEpoch: reader.int16(),
  };
}

import { END_TXN } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readProducerId } from "./producer-id.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface EndTxnRequest {
  /** 5 with transaction version 2: the answer brings the epoch of the next transaction (KIP-890). */
  readonly version: 3 | 5;
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly result: "commit" | "abort";
}

export interface EndTxnResponse extends KafkaResponse {
  readonly errorCode: number;
  /** For the next transaction; −1 in version 3, which keeps what was. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/**
 * ```
 * EndTxn Request v3, v5 => transactional_id producer_id producer_epoch committed TAG
 * EndTxn Response v3 => throttle_time_ms error_code TAG
 * EndTxn Response v5 => throttle_time_ms error_code producer_id producer_epoch TAG
 * ```
 */
export function endTxn(request: EndTxnRequest): KafkaRequest<EndTxnResponse> {
  const body = new ByteWriter(96)
    .compactString(request.transactionalId)
    .int64(request.producerId)
    .int16(request.producerEpoch)
    .boolean(request.result === "commit")
    .tags()
    .finish();
  return kafkaRequest(END_TXN, request.version, [body], request.version === 5 ? decodeV5 : decodeV3);
}

function decodeV3(reader: ByteReader): EndTxnResponse {
  return { throttleTimeMs: reader.int32(), errorCode: reader.int16(), producerId: -1n, producerEpoch: -1 };
}

function decodeV5(reader: ByteReader): EndTxnResponse {
  return {
    throttleTimeMs: reader.int32(),
    errorCode: reader.int16(),
    producerId: readProducerId(reader),
    producerEpoch: reader.int16(),
  };
}

import { HEARTBEAT } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface HeartbeatRequest {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

export interface HeartbeatResponse extends KafkaResponse {
  readonly errorCode: number;
}

/**
 * ```
 * Heartbeat Request v4 => group_id generation_id member_id group_instance_id TAG
 * Heartbeat Response v4 => throttle_time_ms error_code TAG
 * ```
 */
export function heartbeat(request: HeartbeatRequest): KafkaRequest<HeartbeatResponse> {
  const body = new ByteWriter(128)
    .compactString(request.groupId)
    .int32(request.generationId)
    .compactString(request.memberId)
    .compactNullableString(request.groupInstanceId)
    .tags()
    .finish();
  return kafkaRequest(HEARTBEAT, 4, [body], decodeHeartbeat);
}

function decodeHeartbeat(reader: ByteReader): HeartbeatResponse {
  return { throttleTimeMs: reader.int32(), errorCode: reader.int16() };
}

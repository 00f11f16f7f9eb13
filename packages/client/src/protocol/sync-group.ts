import { SYNC_GROUP } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface SyncGroupRequest {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly protocolType: string;
  readonly protocolName: string;
  /** From the leader; empty from everybody else. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
  /** The coordinator answers when the leader has sent its assignments. */
  readonly rebalanceTimeoutMs: number;
}

export interface SyncGroupResponse extends KafkaResponse {
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

/**
 * ```
 * SyncGroup Request v5 => group_id generation_id member_id group_instance_id protocol_type protocol_name
 *   [member_id assignment TAG] TAG
 * SyncGroup Response v5 => throttle_time_ms error_code protocol_type protocol_name assignment TAG
 * ```
 */
export function syncGroup(request: SyncGroupRequest): KafkaRequest<SyncGroupResponse> {
  const body = new ByteWriter(512)
    .compactString(request.groupId)
    .int32(request.generationId)
    .compactString(request.memberId)
    .compactNullableString(request.groupInstanceId)
    .compactNullableString(request.protocolType)
    .compactNullableString(request.protocolName)
    .compactArray(request.assignments, (w, a) => w.compactString(a.memberId).compactBytes(a.assignment).tags())
    .tags()
    .finish();
  return kafkaRequest(SYNC_GROUP, 5, [body], decodeSyncGroup, request.rebalanceTimeoutMs);
}

function decodeSyncGroup(reader: ByteReader): SyncGroupResponse {
  return {
    throttleTimeMs: reader.int32(),
    errorCode: reader.int16(),
    protocolType: reader.compactNullableString(),
    protocolName: reader.compactNullableString(),
    assignment: reader.compactBytes() ?? Buffer.alloc(0),
  };
}

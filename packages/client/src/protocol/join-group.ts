import { JOIN_GROUP } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface JoinGroupRequest {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  /** How long the coordinator waits for the other members to join. */
  readonly rebalanceTimeoutMs: number;
  /** Empty on the first attempt: the answer is MEMBER_ID_REQUIRED and brings one (KIP-394). */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly protocolType: string;
  /** In order of preference. */
  readonly protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

export interface JoinGroupResponse extends KafkaResponse {
  readonly errorCode: number;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** Member id of the leader. */
  readonly leader: string;
  readonly memberId: string;
  /** Filled for the leader only. */
  readonly members: readonly JoinedMember[];
}

/**
 * ```
 * JoinGroup Request v7 => group_id session_timeout_ms rebalance_timeout_ms member_id group_instance_id protocol_type
 *   [name metadata TAG] TAG
 * JoinGroup Response v7 => throttle_time_ms error_code generation_id protocol_type protocol_name leader member_id
 *   [member_id group_instance_id metadata TAG] TAG
 * ```
 */
export function joinGroup(request: JoinGroupRequest): KafkaRequest<JoinGroupResponse> {
  const body = new ByteWriter(512)
    .compactString(request.groupId)
    .int32(request.sessionTimeoutMs)
    .int32(request.rebalanceTimeoutMs)
    .compactString(request.memberId)
    .compactNullableString(request.groupInstanceId)
    .compactString(request.protocolType)
    .compactArray(request.protocols, (w, p) => w.compactString(p.name).compactBytes(p.metadata).tags())
    .tags()
    .finish();
  return kafkaRequest(JOIN_GROUP, 7, [body], decodeJoinGroup, request.rebalanceTimeoutMs);
}

function decodeJoinGroup(reader: ByteReader): JoinGroupResponse {
  return {
    throttleTimeMs: reader.int32(),
    errorCode: reader.int16(),
    generationId: reader.int32(),
    protocolType: reader.compactNullableString(),
    protocolName: reader.compactNullableString(),
    leader: reader.compactString(),
    memberId: reader.compactString(),
    members: reader.compactArray(readMember),
  };
}

function readMember(reader: ByteReader): JoinedMember {
  const memberId = reader.compactString();
  const groupInstanceId = reader.compactNullableString();
  const metadata = reader.compactBytes() ?? Buffer.alloc(0);
  reader.skipTags();
  return { memberId, groupInstanceId, metadata };
}

import { LEAVE_GROUP } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface LeaveGroupRequest {
  readonly groupId: string;
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null }[];
}

export interface LeaveGroupResponse extends KafkaResponse {
  readonly errorCode: number;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly errorCode: number;
  }[];
}

/**
 * ```
 * LeaveGroup Request v4 => group_id [member_id group_instance_id TAG] TAG
 * LeaveGroup Response v4 => throttle_time_ms error_code [member_id group_instance_id error_code TAG] TAG
 * ```
 */
export function leaveGroup(request: LeaveGroupRequest): KafkaRequest<LeaveGroupResponse> {
  const body = new ByteWriter(128)
    .compactString(request.groupId)
    .compactArray(request.members, (w, m) =>
      w.compactString(m.memberId).compactNullableString(m.groupInstanceId).tags(),
    )
    .tags()
    .finish();
  return kafkaRequest(LEAVE_GROUP, 4, [body], decodeLeaveGroup);
}

function decodeLeaveGroup(reader: ByteReader): LeaveGroupResponse {
  return {
    throttleTimeMs: reader.int32(),
    errorCode: reader.int16(),
    members: reader.compactArray((r) => {
      const member = { memberId: r.compactString(), groupInstanceId: r.compactNullableString(), errorCode: r.int16() };
      r.skipTags();
      return member;
    }),
  };
}

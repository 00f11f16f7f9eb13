import { FIND_COORDINATOR } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export type CoordinatorKind = "group" | "transaction";

export interface FindCoordinatorResponse extends KafkaResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/**
 * ```
 * FindCoordinator Request v3 => key key_type TAG                (0 group, 1 transaction)
 * FindCoordinator Response v3 => throttle_time_ms error_code error_message node_id host port TAG
 * ```
 */
export function findCoordinator(kind: CoordinatorKind, key: string): KafkaRequest<FindCoordinatorResponse> {
  const body = new ByteWriter(64)
    .compactString(key)
    .int8(kind === "group" ? 0 : 1)
    .tags()
    .finish();
  return kafkaRequest(FIND_COORDINATOR, 3, [body], decodeFindCoordinator);
}

function decodeFindCoordinator(reader: ByteReader): FindCoordinatorResponse {
  return {
    throttleTimeMs: reader.int32(),
    errorCode: reader.int16(),
    errorMessage: reader.compactNullableString(),
    nodeId: reader.int32(),
    host: reader.compactString(),
    port: reader.int32(),
  };
}

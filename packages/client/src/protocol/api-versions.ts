import { API_VERSIONS } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface ApiVersionRange {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface ApiVersionsResponse extends KafkaResponse {
  readonly errorCode: number;
  readonly apis: readonly ApiVersionRange[];
  /** Level of each feature the cluster has finalised, e.g. `transaction.version` (KIP-584). */
  readonly finalizedFeatures: ReadonlyMap<string, number>;
}

const FINALIZED_FEATURES_TAG = 2;

/**
 * ```
 * ApiVersions Request v3 => client_software_name client_software_version TAG
 * ApiVersions Response v3 (header v0) => error_code [api_key min_version max_version TAG] throttle_time_ms TAG
 *   tag 2 finalized_features => [name max_version_level min_version_level TAG]
 * ```
 */
export function apiVersions(software: { name: string; version: string }): KafkaRequest<ApiVersionsResponse> {
  const body = new ByteWriter(64).compactString(software.name).compactString(software.version).tags().finish();
  return kafkaRequest(API_VERSIONS, 3, [body], decodeApiVersions);
}

function decodeApiVersions(reader: ByteReader): ApiVersionsResponse {
  const errorCode = reader.int16();
  const apis = reader.compactArray((r) => {
    const range = { apiKey: r.int16(), minVersion: r.int16(), maxVersion: r.int16() };
    r.skipTags();
    return range;
  });
  const throttleTimeMs = reader.int32();
  const finalizedFeatures = new Map<string, number>();
  reader.tags((tag, field) => {
    if (tag !== FINALIZED_FEATURES_TAG) return;
    field.compactArray((r) => {
      finalizedFeatures.set(r.compactString(), r.int16());
      r.int16();
      r.skipTags();
    });
  });
  return { throttleTimeMs, errorCode, apis, finalizedFeatures };
}

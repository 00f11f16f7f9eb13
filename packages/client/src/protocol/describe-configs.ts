import { DESCRIBE_CONFIGS } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface ConfigResource {
  readonly type: "topic" | "broker";
  /** Topic name, or broker id as text. */
  readonly name: string;
  /** `null`: all. */
  readonly keys: readonly string[] | null;
}

export interface DescribedConfig {
  readonly name: string;
  /** `null` for what the broker keeps secret. */
  readonly value: string | null;
  readonly readOnly: boolean;
  /** As `DescribeConfigsResponse.ConfigSource`: 1 set on the topic, 5 the broker's built-in default … */
  readonly source: number;
  readonly sensitive: boolean;
}

export interface DescribeConfigsResponse extends KafkaResponse {
  readonly resources: readonly {
    readonly errorCode: number;
    readonly errorMessage: string | null;
    readonly name: string;
    readonly configs: readonly DescribedConfig[];
  }[];
}

const RESOURCE_TYPE = { topic: 2, broker: 4 } as const;

/**
 * ```
 * DescribeConfigs Request v4 => [type name [key] TAG] include_synonyms include_documentation TAG
 * DescribeConfigs Response v4 => throttle_time_ms [error_code error_message type name
 *   [name value read_only source is_sensitive [name value source TAG] type documentation TAG] TAG] TAG
 * ```
 */
export function describeConfigs(resources: readonly ConfigResource[]): KafkaRequest<DescribeConfigsResponse> {
  const body = new ByteWriter()
    .compactArray(resources, (w, resource) =>
      w
        .int8(RESOURCE_TYPE[resource.type])
        .compactString(resource.name)
        .compactArray(resource.keys, (v, key) => v.compactString(key))
        .tags(),
    )
    .boolean(false)
    .boolean(false)
    .tags()
    .finish();
  return kafkaRequest(DESCRIBE_CONFIGS, 4, [body], decodeDescribeConfigs);
}

function decodeDescribeConfigs(reader: ByteReader): DescribeConfigsResponse {
  const throttleTimeMs = reader.int32();
  const resources = reader.compactArray((r) => {
    const errorCode = r.int16();
    const errorMessage = r.compactNullableString();
    r.int8();
    const name = r.compactString();
    const configs = r.compactArray(readConfig);
    r.skipTags();
    return { errorCode, errorMessage, name, configs };
  });
  return { throttleTimeMs, resources };
}

function readConfig(reader: ByteReader): DescribedConfig {
  const name = reader.compactString();
  const value = reader.compactNullableString();
  const readOnly = reader.boolean();
  const source = reader.int8();
  const sensitive = reader.boolean();
  reader.compactArray((r) => {
    r.compactString();
    r.compactNullableString();
    r.int8();
    r.skipTags();
  });
  reader.int8();
  reader.compactNullableString();
  reader.skipTags();
  return { name, value, readOnly, source, sensitive };
}

import { CREATE_TOPICS } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface CreateTopicsRequest {
  readonly timeoutMs: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: number;
    /** −1: the broker's default. */
    readonly replicationFactor: number;
    readonly config: { readonly [name: string]: string };
  }[];
}

export interface CreateTopicsResponse extends KafkaResponse {
  readonly topics: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

/**
 * ```
 * CreateTopics Request v5 => [name num_partitions replication_factor [partition [broker] TAG] [name value TAG] TAG]
 *   timeout_ms validate_only TAG
 * CreateTopics Response v5 => throttle_time_ms [name error_code error_message num_partitions replication_factor
 *   [name value read_only config_source is_sensitive TAG] TAG] TAG
 * ```
 */
export function createTopics(request: CreateTopicsRequest): KafkaRequest<CreateTopicsResponse> {
  const body = new ByteWriter(512)
    .compactArray(request.topics, (w, topic) =>
      w
        .compactString(topic.topic)
        .int32(topic.partitions)
        .int16(topic.replicationFactor)
        .compactArray([], () => {})
        .compactArray(Object.entries(topic.config), (v, [name, value]) =>
          v.compactString(name).compactNullableString(value).tags(),
        )
        .tags(),
    )
    .int32(request.timeoutMs)
    .boolean(false)
    .tags()
    .finish();
  return kafkaRequest(CREATE_TOPICS, 5, [body], decodeCreateTopics, request.timeoutMs);
}

function decodeCreateTopics(reader: ByteReader): CreateTopicsResponse {
  const throttleTimeMs = reader.int32();
  const topics = reader.compactArray((r) => {
    const topic = r.compactString();
    const errorCode = r.int16();
    const errorMessage = r.compactNullableString();
    r.int32();
    r.int16();
    r.compactArray(skipConfig);
    r.skipTags();
    return { topic, errorCode, errorMessage };
  });
  return { throttleTimeMs, topics };
}

function skipConfig(reader: ByteReader): void {
  reader.compactString();
  reader.compactNullableString();
  reader.boolean();
  reader.int8();
  reader.boolean();
  reader.skipTags();
}

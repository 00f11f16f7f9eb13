import { DELETE_TOPICS } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface DeleteTopicsResponse extends KafkaResponse {
  readonly topics: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

/**
 * ```
 * DeleteTopics Request v5 => [topic_name] timeout_ms TAG
 * DeleteTopics Response v5 => throttle_time_ms [name error_code error_message TAG] TAG
 * ```
 */
export function deleteTopics(topics: readonly string[], timeoutMs: number): KafkaRequest<DeleteTopicsResponse> {
  const body = new ByteWriter()
    .compactArray(topics, (w, topic) => w.compactString(topic))
    .int32(timeoutMs)
    .tags()
    .finish();
  return kafkaRequest(DELETE_TOPICS, 5, [body], decodeDeleteTopics, timeoutMs);
}

function decodeDeleteTopics(reader: ByteReader): DeleteTopicsResponse {
  const throttleTimeMs = reader.int32();
  const topics = reader.compactArray((r) => {
    const result = { topic: r.compactString(), errorCode: r.int16(), errorMessage: r.compactNullableString() };
    r.skipTags();
    return result;
  });
  return { throttleTimeMs, topics };
}

import { OFFSET_FETCH } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface OffsetFetchRequest {
  readonly groupId: string;
  /** `null`: every partition the group has committed. */
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null;
  /** Answer UNSTABLE_OFFSET_COMMIT while a transaction holds a pending commit (KIP-447). */
  readonly requireStable: boolean;
}

export interface FetchedOffset {
  readonly partition: number;
  /** −1: nothing committed. */
  readonly offset: number;
  readonly metadata: string | null;
  readonly errorCode: number;
}

export interface OffsetFetchResponse extends KafkaResponse {
  readonly errorCode: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly FetchedOffset[] }[];
}

/**
 * ```
 * OffsetFetch Request v7 => group_id [name [partition] TAG] require_stable TAG
 * OffsetFetch Response v7 => throttle_time_ms
 *   [name [partition offset leader_epoch metadata error_code TAG] TAG] error_code TAG
 * ```
 */
export function offsetFetch(request: OffsetFetchRequest): KafkaRequest<OffsetFetchResponse> {
  const body = new ByteWriter()
    .compactString(request.groupId)
    .compactArray(request.topics, (w, topic) =>
      w
        .compactString(topic.topic)
        .compactArray(topic.partitions, (v, partition) => v.int32(partition))
        .tags(),
    )
    .boolean(request.requireStable)
    .tags()
    .finish();
  return kafkaRequest(OFFSET_FETCH, 7, [body], decodeOffsetFetch);
}

function decodeOffsetFetch(reader: ByteReader): OffsetFetchResponse {
  const throttleTimeMs = reader.int32();
  const topics = reader.compactArray((r) => {
    const topic = r.compactString();
    const partitions = r.compactArray(readFetchedOffset);
    r.skipTags();
    return { topic, partitions };
  });
  return { throttleTimeMs, topics, errorCode: reader.int16() };
}

function readFetchedOffset(reader: ByteReader): FetchedOffset {
  const partition = reader.int32();
  const offset = reader.int64();
  reader.int32();
  const metadata = reader.compactNullableString();
  const errorCode = reader.int16();
  reader.skipTags();
  return { partition, offset, metadata, errorCode };
}

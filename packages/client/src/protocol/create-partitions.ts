import { CREATE_PARTITIONS } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface CreatePartitionsResponse extends KafkaResponse {
  readonly topics: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

/**
 * ```
 * CreatePartitions Request v2 => [name count [[broker] TAG] TAG] timeout_ms validate_only TAG   (assignments null: broker's choice)
 * CreatePartitions Response v2 => throttle_time_ms [name error_code error_message TAG] TAG
 * ```
 */
export function createPartitions(
  topics: readonly { readonly topic: string; readonly count: number }[],
  timeoutMs: number,
): KafkaRequest<CreatePartitionsResponse> {
  const body = new ByteWriter()
    .compactArray(topics, (w, t) =>
      w
        .compactString(t.topic)
        .int32(t.count)
        .compactArray(null, () => {})
        .tags(),
    )
    .int32(timeoutMs)
    .boolean(false)
    .tags()
    .finish();
  return kafkaRequest(CREATE_PARTITIONS, 2, [body], decodeCreatePartitions, timeoutMs);
}

function decodeCreatePartitions(reader: ByteReader): CreatePartitionsResponse {
  const throttleTimeMs = reader.int32();
  const topics = reader.compactArray((r) => {
    const result = { topic: r.compactString(), errorCode: r.int16(), errorMessage: r.compactNullableString() };
    r.skipTags();
    return result;
  });
  return { throttleTimeMs, topics };
}

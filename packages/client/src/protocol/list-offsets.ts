import { LIST_OFFSETS } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { isolationLevelCode, type IsolationLevel } from "./isolation-level.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;

export interface ListOffsetsRequest {
  /** With `read_committed` the latest offset is the last stable one. */
  readonly isolation: IsolationLevel;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      /** Ms since the epoch (the first record at or after it), or {@link LATEST_TIMESTAMP}, {@link EARLIEST_TIMESTAMP}. */
      readonly timestamp: number;
    }[];
  }[];
}

export interface ListedOffset {
  readonly partition: number;
  readonly errorCode: number;
  readonly timestamp: number;
  /** −1: no record at or after the timestamp. */
  readonly offset: number;
}

export interface ListOffsetsResponse extends KafkaResponse {
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly ListedOffset[] }[];
}

/**
 * ```
 * ListOffsets Request v7 => replica_id isolation_level [name [partition current_leader_epoch timestamp TAG] TAG] TAG
 * ListOffsets Response v7 => throttle_time_ms [name [partition error_code timestamp offset leader_epoch TAG] TAG] TAG
 * ```
 */
export function listOffsets(request: ListOffsetsRequest): KafkaRequest<ListOffsetsResponse> {
  const body = new ByteWriter(512)
    .int32(-1)
    .int8(isolationLevelCode(request.isolation))
    .compactArray(request.topics, (w, topic) =>
      w
        .compactString(topic.topic)
        .compactArray(topic.partitions, (v, p) => v.int32(p.partition).int32(-1).int64(p.timestamp).tags())
        .tags(),
    )
    .tags()
    .finish();
  return kafkaRequest(LIST_OFFSETS, 7, [body], decodeListOffsets);
}

function decodeListOffsets(reader: ByteReader): ListOffsetsResponse {
  const throttleTimeMs = reader.int32();
  const topics = reader.compactArray((r) => {
    const topic = r.compactString();
    const partitions = r.compactArray(readListedOffset);
    r.skipTags();
    return { topic, partitions };
  });
  return { throttleTimeMs, topics };
}

function readListedOffset(reader: ByteReader): ListedOffset {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const timestamp = reader.int64();
  const offset = reader.int64();
  reader.int32();
  reader.skipTags();
  return { partition, errorCode, timestamp, offset };
}

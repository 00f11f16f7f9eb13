import { FETCH } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { isolationLevelCode, type IsolationLevel } from "./isolation-level.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface FetchRequest {
  /** How long the broker may hold the request while it has less than `minBytes`. */
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolation: IsolationLevel;
  readonly rackId?: string;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: number;
      readonly maxBytes: number;
    }[];
  }[];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Transactions whose records in this answer are to be dropped; in no particular order. */
  readonly aborted: readonly { readonly producerId: number; readonly firstOffset: number }[];
  /** −1: read from the leader. */
  readonly preferredReadReplica: number;
  /** Record batches are `payload[recordsStart, recordsEnd)`. */
  readonly recordsStart: number;
  readonly recordsEnd: number;
}

export interface FetchResponse extends KafkaResponse {
  readonly errorCode: number;
  readonly sessionId: number;
  /** The whole answer; records are read in place. */
  readonly payload: Buffer;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly FetchedPartition[] }[];
}

/** No fetch session: every request names all its partitions (KIP-227). */
const NO_SESSION_ID = 0;
const FINAL_EPOCH = -1;

/**
 * ```
 * Fetch Request v11 => replica_id max_wait_ms min_bytes max_bytes isolation_level session_id session_epoch
 *   [topic [partition current_leader_epoch fetch_offset log_start_offset partition_max_bytes]]
 *   [forgotten_topic [partition]] rack_id
 * Fetch Response v11 => throttle_time_ms error_code session_id
 *   [topic [partition error_code high_watermark last_stable_offset log_start_offset
 *           [producer_id first_offset] preferred_read_replica records]]
 * ```
 */
export function fetch(request: FetchRequest): KafkaRequest<FetchResponse> {
  const body = new ByteWriter(1024)
    .int32(-1)
    .int32(request.maxWaitMs)
    .int32(request.minBytes)
    .int32(request.maxBytes)
    .int8(isolationLevelCode(request.isolation))
    .int32(NO_SESSION_ID)
    .int32(FINAL_EPOCH)
    .array(request.topics, (w, topic) =>
      w
        .string(topic.topic)
        .array(topic.partitions, (v, p) =>
          v.int32(p.partition).int32(-1).int64(p.fetchOffset).int64(-1).int32(p.maxBytes),
        ),
    )
    .int32(0)
    .string(request.rackId ?? "")
    .finish();
  return kafkaRequest(FETCH, 11, [body], decodeFetch, request.maxWaitMs);
}

function decodeFetch(reader: ByteReader): FetchResponse {
  const throttleTimeMs = reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  const topics = reader.array((r) => ({ topic: r.string(), partitions: r.array(readPartition) }));
  return { throttleTimeMs, errorCode, sessionId, payload: reader.buffer, topics };
}

function readPartition(reader: ByteReader): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  const logStartOffset = reader.int64();
  const aborted = reader.array((r) => ({ producerId: r.int64(), firstOffset: r.int64() }));
  const preferredReadReplica = reader.int32();
  const size = Math.max(0, reader.int32());
  const recordsStart = reader.position;
  reader.skip(size);
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    aborted,
    preferredReadReplica,
    recordsStart,
    recordsEnd: reader.position,
  };
}

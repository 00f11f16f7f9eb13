import { PRODUCE } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface ProduceRequest {
  /** 12 with transaction version 2 (adds partitions to the transaction by itself, KIP-890), else 9. */
  readonly version: 9 | 12;
  readonly transactionalId: string | null;
  /** −1: all in-sync replicas. */
  readonly acks: -1 | 1;
  /** How long the broker waits for the replicas. */
  readonly timeoutMs: number;
  /** One batch a partition; each partition once. The batches' bytes must not change before the answer. */
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly batch: Buffer }[];
  }[];
}

export interface ProducedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Offset of the batch's first record; −1 on an error. */
  readonly baseOffset: number;
  /** −1 unless the topic stamps records itself. */
  readonly logAppendTime: number;
  readonly errorMessage: string | null;
  /** The records that made the broker refuse the batch. */
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string | null }[];
}

export interface ProduceResponse extends KafkaResponse {
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly ProducedPartition[] }[];
}

/**
 * ```
 * Produce Request v9, v12 => transactional_id acks timeout_ms [name [index records TAG] TAG] TAG
 * Produce Response v9, v12 => [name [index error_code base_offset log_append_time_ms log_start_offset
 *   [batch_index message TAG] error_message TAG] TAG] throttle_time_ms TAG
 * ```
 */
export function produce(request: ProduceRequest): KafkaRequest<ProduceResponse> {
  const body: Buffer[] = [];
  let writer = new ByteWriter()
    .compactNullableString(request.transactionalId)
    .int16(request.acks)
    .int32(request.timeoutMs)
    .uvarint(request.topics.length + 1);
  for (const topic of request.topics) {
    writer.compactString(topic.topic).uvarint(topic.partitions.length + 1);
    for (const { partition, batch } of topic.partitions) {
      writer.int32(partition).uvarint(batch.length + 1);
      body.push(writer.finish(), batch);
      writer = new ByteWriter(64).tags();
    }
    writer.tags();
  }
  body.push(writer.tags().finish());
  return kafkaRequest(PRODUCE, request.version, body, decodeProduce);
}

function decodeProduce(reader: ByteReader): ProduceResponse {
  const topics = reader.compactArray((r) => {
    const topic = r.compactString();
    const partitions = r.compactArray(readPartition);
    r.skipTags();
    return { topic, partitions };
  });
  return { topics, throttleTimeMs: reader.int32() };
}

function readPartition(reader: ByteReader): ProducedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const baseOffset = reader.int64();
  const logAppendTime = reader.int64();
  reader.int64();
  const recordErrors = reader.compactArray((r) => {
    const error = { batchIndex: r.int32(), message: r.compactNullableString() };
    r.skipTags();
    return error;
  });
  const errorMessage = reader.compactNullableString();
  reader.skipTags();
  return { partition, errorCode, baseOffset, logAppendTime, errorMessage, recordErrors };
}

import { METADATA } from "./apis.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { kafkaRequest, type KafkaRequest, type KafkaResponse } from "./request.ts";

export interface MetadataBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface MetadataPartition {
  readonly errorCode: number;
  readonly partition: number;
  /** −1: no leader. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

export interface MetadataTopic {
  readonly errorCode: number;
  readonly name: string;
  readonly internal: boolean;
  readonly partitions: readonly MetadataPartition[];
}

export interface MetadataResponse extends KafkaResponse {
  readonly brokers: readonly MetadataBroker[];
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly topics: readonly MetadataTopic[];
}

/**
 * Topics are never created by asking for them.
 *
 * ```
 * Metadata Request v9 => [name TAG] allow_auto_topic_creation include_cluster_authorized_operations
 *                        include_topic_authorized_operations TAG
 * Metadata Response v9 => throttle_time_ms [node_id host port rack TAG] cluster_id controller_id
 *   [error_code name is_internal [error_code partition leader leader_epoch [replica] [isr] [offline] TAG]
 *    authorized_operations TAG] authorized_operations TAG
 * ```
 *
 * @param topics `null` asks for all topics; an empty list for the brokers only
 */
export function metadata(topics: readonly string[] | null): KafkaRequest<MetadataResponse> {
  const body = new ByteWriter()
    .compactArray(topics, (w, topic) => w.compactString(topic).tags())
    .boolean(false)
    .boolean(false)
    .boolean(false)
    .tags()
    .finish();
  return kafkaRequest(METADATA, 9, [body], decodeMetadata);
}

function decodeMetadata(reader: ByteReader): MetadataResponse {
  const throttleTimeMs = reader.int32();
  const brokers = reader.compactArray((r) => {
    const broker = { nodeId: r.int32(), host: r.compactString(), port: r.int32(), rack: r.compactNullableString() };
    r.skipTags();
    return broker;
  });
  const clusterId = reader.compactNullableString();
  const controllerId = reader.int32();
  const topics = reader.compactArray(readTopic);
  reader.int32();
  reader.skipTags();
  return { throttleTimeMs, brokers, clusterId, controllerId, topics };
}

function readTopic(reader: ByteReader): MetadataTopic {
  const errorCode = reader.int16();
  const name = reader.compactString();
  const internal = reader.boolean();
  const partitions = reader.compactArray(readPartition);
  reader.int32();
  reader.skipTags();
  return { errorCode, name, internal, partitions };
}

function readPartition(reader: ByteReader): MetadataPartition {
  const errorCode = reader.int16();
  const partition = reader.int32();
  const leader = reader.int32();
  const leaderEpoch = reader.int32();
  const replicas = reader.compactArray((r) => r.int32());
  const isr = reader.compactArray((r) => r.int32());
  reader.compactArray((r) => r.int32());
  reader.skipTags();
  return { errorCode, partition, leader, leaderEpoch, replicas, isr };
}

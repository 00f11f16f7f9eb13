import type { KafkaApi } from "./request.ts";

/** Every API this client uses. One place, so that a broker's ranges are checked against all of them on connecting. */
export const PRODUCE = api(0, "Produce", [9, 12], 9);
export const FETCH = api(1, "Fetch", [11], 12);
export const LIST_OFFSETS = api(2, "ListOffsets", [7], 6);
export const METADATA = api(3, "Metadata", [9], 9);
export const OFFSET_COMMIT = api(8, "OffsetCommit", [8], 8);
export const OFFSET_FETCH = api(9, "OffsetFetch", [7], 6);
export const FIND_COORDINATOR = api(10, "FindCoordinator", [3], 3);
export const JOIN_GROUP = api(11, "JoinGroup", [7], 6);
export const HEARTBEAT = api(12, "Heartbeat", [4], 4);
export const LEAVE_GROUP = api(13, "LeaveGroup", [4], 4);
export const SYNC_GROUP = api(14, "SyncGroup", [5], 4);
export const API_VERSIONS = api(18, "ApiVersions", [3], 3);
export const CREATE_TOPICS = api(19, "CreateTopics", [5], 5);
export const DELETE_TOPICS = api(20, "DeleteTopics", [5], 4);
export const INIT_PRODUCER_ID = api(22, "InitProducerId", [4], 2);
export const ADD_PARTITIONS_TO_TXN = api(24, "AddPartitionsToTxn", [3], 3);
export const ADD_OFFSETS_TO_TXN = api(25, "AddOffsetsToTxn", [3], 3);
export const END_TXN = api(26, "EndTxn", [3, 5], 3);
export const TXN_OFFSET_COMMIT = api(28, "TxnOffsetCommit", [3, 5], 3);
export const DESCRIBE_CONFIGS = api(32, "DescribeConfigs", [4], 4);
export const CREATE_PARTITIONS = api(37, "CreatePartitions", [2], 2);

export const KAFKA_APIS: readonly KafkaApi[] = [
  PRODUCE,
  FETCH,
  LIST_OFFSETS,
  METADATA,
  OFFSET_COMMIT,
  OFFSET_FETCH,
  FIND_COORDINATOR,
  JOIN_GROUP,
  HEARTBEAT,
  LEAVE_GROUP,
  SYNC_GROUP,
  API_VERSIONS,
  CREATE_TOPICS,
  DELETE_TOPICS,
  INIT_PRODUCER_ID,
  ADD_PARTITIONS_TO_TXN,
  ADD_OFFSETS_TO_TXN,
  END_TXN,
  TXN_OFFSET_COMMIT,
  DESCRIBE_CONFIGS,
  CREATE_PARTITIONS,
];

function api(key: number, name: string, versions: readonly number[], flexibleFrom: number): KafkaApi {
  return { key, name, versions, flexibleFrom };
}

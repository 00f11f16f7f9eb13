/**
 * What an error code asks of the client:
 * - `none`: success
 * - `retry-in-place`: the same request again in some milliseconds
 * - `refind-coordinator`: the coordinator moved or is loading: look it up, then the same request again
 * - `refresh-metadata`: the leader moved, or replicas are missing: refresh, then the same request again
 * - `wait`: somebody else has to finish first: the same request again after a pause
 * - `abort`: abort the transaction, take a fresh epoch, process its records again
 * - `poison-record`: abort; the same record would be refused again
 * - `rejoin`: the group goes on without this member: abort and join again
 * - `fenced`: another producer took over: close, do not initialise again
 * - `fatal`: configuration, permission or a bug: stop
 */
export type KafkaErrorClass =
  | "none"
  | "retry-in-place"
  | "refind-coordinator"
  | "refresh-metadata"
  | "wait"
  | "abort"
  | "poison-record"
  | "rejoin"
  | "fenced"
  | "fatal";

/** By code, as `org.apache.kafka.common.protocol.Errors` of Kafka 4.3 has them. */
const KAFKA_ERRORS: readonly (readonly [name: string, kind: KafkaErrorClass])[] = [
  ["NONE", "none"], // 0
  ["OFFSET_OUT_OF_RANGE", "fatal"], // 1
  ["CORRUPT_MESSAGE", "abort"], // 2
  ["UNKNOWN_TOPIC_OR_PARTITION", "refresh-metadata"], // 3
  ["INVALID_FETCH_SIZE", "fatal"], // 4
  ["LEADER_NOT_AVAILABLE", "refresh-metadata"], // 5
  ["NOT_LEADER_OR_FOLLOWER", "refresh-metadata"], // 6
  ["REQUEST_TIMED_OUT", "refresh-metadata"], // 7
  ["BROKER_NOT_AVAILABLE", "refresh-metadata"], // 8
  ["REPLICA_NOT_AVAILABLE", "refresh-metadata"], // 9
  ["MESSAGE_TOO_LARGE", "poison-record"], // 10
  ["STALE_CONTROLLER_EPOCH", "fatal"], // 11
  ["OFFSET_METADATA_TOO_LARGE", "fatal"], // 12
  ["NETWORK_EXCEPTION", "refresh-metadata"], // 13
  ["COORDINATOR_LOAD_IN_PROGRESS", "refind-coordinator"], // 14
  ["COORDINATOR_NOT_AVAILABLE", "refind-coordinator"], // 15
  ["NOT_COORDINATOR", "refind-coordinator"], // 16
  ["INVALID_TOPIC_EXCEPTION", "fatal"], // 17
  ["RECORD_LIST_TOO_LARGE", "poison-record"], // 18
  ["NOT_ENOUGH_REPLICAS", "refresh-metadata"], // 19
  ["NOT_ENOUGH_REPLICAS_AFTER_APPEND", "refresh-metadata"], // 20
  ["INVALID_REQUIRED_ACKS", "fatal"], // 21
  ["ILLEGAL_GENERATION", "rejoin"], // 22
  ["INCONSISTENT_GROUP_PROTOCOL", "fatal"], // 23
  ["INVALID_GROUP_ID", "fatal"], // 24
  ["UNKNOWN_MEMBER_ID", "rejoin"], // 25
  ["INVALID_SESSION_TIMEOUT", "fatal"], // 26
  ["REBALANCE_IN_PROGRESS", "rejoin"], // 27
  ["INVALID_COMMIT_OFFSET_SIZE", "fatal"], // 28
  ["TOPIC_AUTHORIZATION_FAILED", "fatal"], // 29
  ["GROUP_AUTHORIZATION_FAILED", "fatal"], // 30
  ["CLUSTER_AUTHORIZATION_FAILED", "fatal"], // 31
  ["INVALID_TIMESTAMP", "poison-record"], // 32
  ["UNSUPPORTED_SASL_MECHANISM", "fatal"], // 33
  ["ILLEGAL_SASL_STATE", "fatal"], // 34
  ["UNSUPPORTED_VERSION", "fatal"], // 35
  ["TOPIC_ALREADY_EXISTS", "fatal"], // 36
  ["INVALID_PARTITIONS", "fatal"], // 37
  ["INVALID_REPLICATION_FACTOR", "fatal"], // 38
  ["INVALID_REPLICA_ASSIGNMENT", "fatal"], // 39
  ["INVALID_CONFIG", "fatal"], // 40
  ["NOT_CONTROLLER", "refresh-metadata"], // 41
  ["INVALID_REQUEST", "fatal"], // 42
  ["UNSUPPORTED_FOR_MESSAGE_FORMAT", "fatal"], // 43
  ["POLICY_VIOLATION", "fatal"], // 44
  ["OUT_OF_ORDER_SEQUENCE_NUMBER", "abort"], // 45
  ["DUPLICATE_SEQUENCE_NUMBER", "abort"], // 46
  ["INVALID_PRODUCER_EPOCH", "fenced"], // 47
  ["INVALID_TXN_STATE", "abort"], // 48
  ["INVALID_PRODUCER_ID_MAPPING", "fenced"], // 49
  ["INVALID_TRANSACTION_TIMEOUT", "fatal"], // 50
  ["CONCURRENT_TRANSACTIONS", "retry-in-place"], // 51
  ["TRANSACTION_COORDINATOR_FENCED", "fenced"], // 52
  ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "fatal"], // 53
  ["SECURITY_DISABLED", "fatal"], // 54
  ["OPERATION_NOT_ATTEMPTED", "fatal"], // 55
  ["KAFKA_STORAGE_ERROR", "refresh-metadata"], // 56
  ["LOG_DIR_NOT_FOUND", "fatal"], // 57
  ["SASL_AUTHENTICATION_FAILED", "fatal"], // 58
  ["UNKNOWN_PRODUCER_ID", "abort"], // 59
  ["REASSIGNMENT_IN_PROGRESS", "fatal"], // 60
  ["DELEGATION_TOKEN_AUTH_DISABLED", "fatal"], // 61
  ["DELEGATION_TOKEN_NOT_FOUND", "fatal"], // 62
  ["DELEGATION_TOKEN_OWNER_MISMATCH", "fatal"], // 63
  ["DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", "fatal"], // 64
  ["DELEGATION_TOKEN_AUTHORIZATION_FAILED", "fatal"], // 65
  ["DELEGATION_TOKEN_EXPIRED", "fatal"], // 66
  ["INVALID_PRINCIPAL_TYPE", "fatal"], // 67
  ["NON_EMPTY_GROUP", "fatal"], // 68
  ["GROUP_ID_NOT_FOUND", "fatal"], // 69
  ["FETCH_SESSION_ID_NOT_FOUND", "refresh-metadata"], // 70
  ["INVALID_FETCH_SESSION_EPOCH", "refresh-metadata"], // 71
  ["LISTENER_NOT_FOUND", "refresh-metadata"], // 72
  ["TOPIC_DELETION_DISABLED", "fatal"], // 73
  ["FENCED_LEADER_EPOCH", "refresh-metadata"], // 74
  ["UNKNOWN_LEADER_EPOCH", "refresh-metadata"], // 75
  ["UNSUPPORTED_COMPRESSION_TYPE", "fatal"], // 76
  ["STALE_BROKER_EPOCH", "fatal"], // 77
  ["OFFSET_NOT_AVAILABLE", "wait"], // 78
  ["MEMBER_ID_REQUIRED", "rejoin"], // 79
  ["PREFERRED_LEADER_NOT_AVAILABLE", "refresh-metadata"], // 80
  ["GROUP_MAX_SIZE_REACHED", "fatal"], // 81
  ["FENCED_INSTANCE_ID", "fatal"], // 82
  ["ELIGIBLE_LEADERS_NOT_AVAILABLE", "refresh-metadata"], // 83
  ["ELECTION_NOT_NEEDED", "refresh-metadata"], // 84
  ["NO_REASSIGNMENT_IN_PROGRESS", "fatal"], // 85
  ["GROUP_SUBSCRIBED_TO_TOPIC", "fatal"], // 86
  ["INVALID_RECORD", "poison-record"], // 87
  ["UNSTABLE_OFFSET_COMMIT", "wait"], // 88
  ["THROTTLING_QUOTA_EXCEEDED", "wait"], // 89
  ["PRODUCER_FENCED", "fenced"], // 90
  ["RESOURCE_NOT_FOUND", "fatal"], // 91
  ["DUPLICATE_RESOURCE", "fatal"], // 92
  ["UNACCEPTABLE_CREDENTIAL", "fatal"], // 93
  ["INCONSISTENT_VOTER_SET", "fatal"], // 94
  ["INVALID_UPDATE_VERSION", "fatal"], // 95
  ["FEATURE_UPDATE_FAILED", "fatal"], // 96
  ["PRINCIPAL_DESERIALIZATION_FAILURE", "fatal"], // 97
  ["SNAPSHOT_NOT_FOUND", "fatal"], // 98
  ["POSITION_OUT_OF_RANGE", "fatal"], // 99
  ["UNKNOWN_TOPIC_ID", "refresh-metadata"], // 100
  ["DUPLICATE_BROKER_REGISTRATION", "fatal"], // 101
  ["BROKER_ID_NOT_REGISTERED", "fatal"], // 102
  ["INCONSISTENT_TOPIC_ID", "refresh-metadata"], // 103
  ["INCONSISTENT_CLUSTER_ID", "fatal"], // 104
  ["TRANSACTIONAL_ID_NOT_FOUND", "fatal"], // 105
  ["FETCH_SESSION_TOPIC_ID_ERROR", "refresh-metadata"], // 106
  ["INELIGIBLE_REPLICA", "fatal"], // 107
  ["NEW_LEADER_ELECTED", "fatal"], // 108
  ["OFFSET_MOVED_TO_TIERED_STORAGE", "fatal"], // 109
  ["FENCED_MEMBER_EPOCH", "rejoin"], // 110
  ["UNRELEASED_INSTANCE_ID", "fatal"], // 111
  ["UNSUPPORTED_ASSIGNOR", "fatal"], // 112
  ["STALE_MEMBER_EPOCH", "rejoin"], // 113
  ["MISMATCHED_ENDPOINT_TYPE", "fatal"], // 114
  ["UNSUPPORTED_ENDPOINT_TYPE", "fatal"], // 115
  ["UNKNOWN_CONTROLLER_ID", "fatal"], // 116
  ["UNKNOWN_SUBSCRIPTION_ID", "fatal"], // 117
  ["TELEMETRY_TOO_LARGE", "fatal"], // 118
  ["INVALID_REGISTRATION", "fatal"], // 119
  ["TRANSACTION_ABORTABLE", "abort"], // 120
  ["INVALID_RECORD_STATE", "fatal"], // 121
  ["SHARE_SESSION_NOT_FOUND", "fatal"], // 122
  ["INVALID_SHARE_SESSION_EPOCH", "fatal"], // 123
  ["FENCED_STATE_EPOCH", "fatal"], // 124
  ["INVALID_VOTER_KEY", "fatal"], // 125
  ["DUPLICATE_VOTER", "fatal"], // 126
  ["VOTER_NOT_FOUND", "fatal"], // 127
  ["INVALID_REGULAR_EXPRESSION", "fatal"], // 128
  ["REBOOTSTRAP_REQUIRED", "refresh-metadata"], // 129
  ["STREAMS_INVALID_TOPOLOGY", "fatal"], // 130
  ["STREAMS_INVALID_TOPOLOGY_EPOCH", "fatal"], // 131
  ["STREAMS_TOPOLOGY_FENCED", "fatal"], // 132
  ["SHARE_SESSION_LIMIT_REACHED", "fatal"], // 133
];

/** The code's name in Kafka's protocol; `UNKNOWN_ERROR_CODE_<n>` for one that newer brokers may have. */
export function kafkaErrorName(code: number): string {
  if (code === -1) return "UNKNOWN_SERVER_ERROR";
  return KAFKA_ERRORS[code]?.[0] ?? `UNKNOWN_ERROR_CODE_${code}`;
}

/** What to do about a code. A code without a meaning here aborts: always safe, and bounded by the caller's retries. */
export function kafkaErrorClass(code: number): KafkaErrorClass {
  return KAFKA_ERRORS[code]?.[1] ?? "abort";
}

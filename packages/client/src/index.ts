export { createClient } from "./client.ts";
export type { Client, ProducerOptions } from "./client.ts";
export { CLIENT_OPTION_RULES, pickClientOptions } from "./options.ts";
export type { ClientOptions } from "./options.ts";
export type { Admin } from "./admin/admin.ts";
export type { CommittedOffset, CommittedOffsetsOptions } from "./admin/committed-offsets.ts";
export type { OffsetSpec, PartitionOffset } from "./admin/partition-offsets.ts";
export type { NewTopic } from "./admin/topic-admin.ts";

export {
  AuthenticationError,
  AuthorizationError,
  brokerError,
  BrokerError,
  ClientClosedError,
  ConnectionError,
  EngineMismatchError,
  FencedInstanceIdError,
  isConnectionLoss,
  ProducerFencedError,
  RequestTimeoutError,
  UnknownTopicError,
  UnsupportedVersionError,
} from "./errors/errors.ts";
export type { BrokerErrorDetails } from "./errors/errors.ts";
export { kafkaErrorClass, kafkaErrorName } from "./errors/kafka-errors.ts";
export type { KafkaErrorClass } from "./errors/kafka-errors.ts";
export type { IsolationLevel } from "./protocol/isolation-level.ts";

export { OffsetOutOfRangeError } from "./fetch/fetch-errors.ts";
export { PartitionQueue } from "./fetch/partition-queue.ts";
export type { BatchChunk, PartitionReaderOptions } from "./fetch/partition-reader.ts";

export { isConsecutive } from "./group/consecutive-generations.ts";
export { GroupConsumer } from "./group/group-consumer.ts";
export type { GroupConsumerOptions } from "./group/group-consumer.ts";
export { GroupLostError } from "./group/group-errors.ts";
export type { GroupGeneration } from "./group/group-generation.ts";
export type { RebalanceHooks, RejoinReason } from "./group/group-member.ts";
export type { GroupState } from "./group/group-state.ts";
export { awaitStableOffsets } from "./group/stable-offsets.ts";
export type { StableOffsetsOptions } from "./group/stable-offsets.ts";
export { NoCommittedOffsetError, startPositions } from "./group/start-positions.ts";
export { compareMembers } from "./group/assignor.ts";
export type { Assignor, MemberSubscription } from "./group/assignor.ts";
export { rangeAssignor } from "./group/range-assignor.ts";
export type { Assignment } from "./group/consumer-protocol.ts";

export { Scheduler } from "./scheduling/scheduler.ts";
export type { RunnableTask, RunOutcome } from "./scheduling/scheduler.ts";

export { BatchProducer, isGroupFence } from "./producer/batch-producer.ts";
export type { CommitSummary } from "./producer/batch-producer.ts";
export { OffsetBatch } from "./producer/group-offsets.ts";
export type { GroupOffsets } from "./producer/group-offsets.ts";
export { OutputPartition, OutputTopic } from "./producer/output-partition.ts";
export { TransactionAbortedError, UnknownPartitionError } from "./producer/producer-errors.ts";
export { RecordAppender } from "./producer/record-appender.ts";
export type { ProducedRecord, RecordsToSend } from "./producer/record-appender.ts";
export { createProducer } from "./producer/record-producer.ts";
export type { RecordProducer, RecordProducerOptions } from "./producer/record-producer.ts";
export type { ProducerState } from "./producer/producer-state.ts";

export { codecFor, loadCodec } from "./records/codecs.ts";
export type { Codec, CodecName } from "./records/codecs.ts";
export { crc32c } from "./records/crc32c.ts";
export { FetchedRecord, RecordSource } from "./records/fetched-record.ts";
export { HeaderEncoder } from "./records/header-bytes.ts";
export { murmur2, partitionForKey } from "./records/partitioner.ts";
export { BatchBuffers } from "./records/batch-buffers.ts";
export { readRecordBatches, RecordBatch } from "./records/record-batch-reader.ts";
export type { AbortedTransaction, BatchReading } from "./records/record-batch-reader.ts";
export { RecordBatchWriter } from "./records/record-batch-writer.ts";
export type { BatchSeal } from "./records/record-batch-writer.ts";
export { RecordCursor } from "./records/record-cursor.ts";
export {
  CorruptRecordError,
  MissingCodecError,
  RecordTooLargeError,
  UnsupportedBatchError,
} from "./records/record-errors.ts";

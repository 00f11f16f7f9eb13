export { systemClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export { EosError, InvalidTransitionError, SerdeError } from "./errors.ts";
export type { EosErrorOptions, ErrorCode, SerdeErrorOptions, Severity } from "./errors.ts";
export { jsonSerde } from "./json-serde.ts";
export { LIFECYCLE_TRANSITIONS } from "./lifecycle.ts";
export type { LifecycleState } from "./lifecycle.ts";
export { callListener } from "./listener.ts";
export { createConsoleLogger, silentLogger } from "./logger.ts";
export type { ConsoleLoggerOptions, Logger, LogLevel } from "./logger.ts";
export { doubleSerde, int32Serde, int64Serde } from "./number-serdes.ts";
export { notify } from "./observer.ts";
export type { Observer, ObserverEvents } from "./observer.ts";
export { decodeOffsetMetadata, encodeOffsetMetadata, tryEncodeOffsetMetadata } from "./offset-metadata.ts";
export type { OffsetMetadata } from "./offset-metadata.ts";
export type { OffsetRange } from "./offset-metadata-ranges.ts";
export {
  boolean,
  brokersList,
  checkOptions,
  fn,
  nonEmptyString,
  nonEmptyStringList,
  nonNegativeInteger,
  object,
  oneOf,
  positiveInteger,
  required,
} from "./options.ts";
export type { OptionRule, OptionTable } from "./options.ts";
export { createHeaders, formatTopicPartition, samePartition } from "./record.ts";
export type { EosRecord, HeaderInput, Headers, HeaderValue, OutgoingRecord, TopicPartition } from "./record.ts";
export { bytesSerde, stringSerde } from "./serde.ts";
export type { Serde } from "./serde.ts";
export type {
  StandardSchemaIssue,
  StandardSchemaProps,
  StandardSchemaResult,
  StandardSchemaV1,
} from "./standard-schema.ts";
export { isThenable } from "./thenable.ts";
export { createStateMachine } from "./state-machine.ts";
export type { StateMachine, StateMachineOptions, Transitions } from "./state-machine.ts";
export type {
  ParticipantHost,
  ParticipantTask,
  PartitionPosition,
  RecordSink,
  TaskParticipant,
  TransactionParticipant,
} from "./transaction-participant.ts";

export { createConsumerGroup } from "./managed-group.ts";
export type { CloseGroupOptions, ConsumerGroup, GroupHealth, SeekPosition } from "./consumer-group.ts";
export type { CommitMode, ConsumerGroupOptions, MemberGeneration, RecordResult } from "./options.ts";
export type {
  BatchHandler,
  ConsumedBatch,
  DeadLetterPort,
  ErrorAnswer,
  HandlerContext,
  RecordHandler,
  RecordOutcome,
} from "./handler.ts";
export type { Envelope } from "./record-stream.ts";
export type { PausedPartition, PauseOptions } from "./pauses.ts";
export type { MemberHealth } from "./member/consumer-member.ts";
export type { GroupMetricsSnapshot } from "./member/group-metrics.ts";
export type { GroupLag, PartitionLag } from "./lag/group-lag.ts";
export type { LagListener, LagWatchOptions } from "./lag/lag-monitor.ts";
export type { LagState } from "./lag/lag-state.ts";
export {
  BatchRecordError,
  DeadLetterError,
  GroupClosedError,
  HandlerError,
  MaxPollIntervalExceededError,
  NoDeadLetterPortError,
  NotAssignedError,
} from "./errors.ts";
export type { RecordPosition } from "./errors.ts";

export { rangeAssignor } from "@eos/client";
export type { Assignment, Assignor, MemberSubscription } from "@eos/client";
export { coPartitionedAssignor } from "./assignors/co-partitioned-assignor.ts";
export { CoPartitioningError } from "./assignors/co-partitioning-error.ts";
export { roundRobinAssignor } from "./assignors/round-robin-assignor.ts";
export { stickyAssignor } from "./assignors/sticky/sticky-assignor.ts";

import { type Assignor, type FetchedRecord, rangeAssignor } from "@eos/client";
import { bytesSerde, checkOptions, type Serde, type TopicPartition } from "@eos/core";
import type { DeadLetterPort, ErrorAnswer } from "./handler.ts";
import {
  type CommitMode,
  type ConsumerGroupOptions,
  GROUP_DEFAULTS,
  GROUP_OPTION_RULES,
  type MemberGeneration,
  type RecordResult,
} from "./options.ts";

/** The options with their defaults, checked against each other. */
export interface ResolvedGroupOptions {
  readonly groupId: string;
  readonly topics: readonly string[] | RegExp;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  readonly members: number;
  readonly maxBatchRecords: number;
  readonly ordering: "partition" | "key" | "unordered";
  readonly concurrency: number;
  readonly commit: CommitMode;
  readonly autoOffsetReset: "earliest" | "latest" | "none";
  readonly onOffsetOutOfRange: "stop" | "earliest" | "latest";
  readonly assignors: readonly Assignor[];
  readonly groupInstanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly revokeTimeoutMs: number;
  readonly maxPollIntervalMs: number;
  readonly metadataMaxAgeMs: number;
  readonly maxQueueRecords: number;
  readonly maxQueueBytes: number;
  readonly maxPartitionFetchBytes: number;
  readonly isolationLevel: "read_committed" | "read_uncommitted";
  readonly onMemberFailure: "replace" | "stop";
  readonly deadLetter: DeadLetterPort | undefined;
  readonly onError: (
    error: unknown,
    record: FetchedRecord<unknown, unknown>,
    attempt: number,
  ) => ErrorAnswer | PromiseLike<ErrorAnswer>;
  readonly onResult: ((record: FetchedRecord<unknown, unknown>, result: RecordResult) => void) | undefined;
  readonly onAssigned: ((partitions: readonly TopicPartition[], member: MemberGeneration) => unknown) | undefined;
  readonly onRevoked: ((partitions: readonly TopicPartition[]) => unknown) | undefined;
  readonly onLost: ((partitions: readonly TopicPartition[], error: Error) => unknown) | undefined;
}

const OWNER = "createConsumerGroup";

/** @throws TypeError on an unknown, wrong or missing option, and on options that contradict each other */
export function resolveGroupOptions<K, V>(options: ConsumerGroupOptions<K, V>): ResolvedGroupOptions {
  checkOptions(OWNER, options, GROUP_OPTION_RULES);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { topics, rebalanceTimeoutMs, ...merged } = { ...GROUP_DEFAULTS, ...(given as typeof options) };
  const resolved = {
    ...merged,
    rebalanceTimeoutMs,
    topics: typeof topics === "string" ? [topics] : topics,
    revokeTimeoutMs: options.revokeTimeoutMs ?? Math.ceil(rebalanceTimeoutMs / 2),
    assignors: options.assignors ?? [rangeAssignor],
    groupInstanceId: options.groupInstanceId ?? null,
    key: (options.key ?? bytesSerde) as Serde<unknown>,
    value: (options.value ?? bytesSerde) as Serde<unknown>,
    deadLetter: options.deadLetter,
    onError: (options.onError ?? (() => "stop")) as ResolvedGroupOptions["onError"],
    onResult: options.onResult as ResolvedGroupOptions["onResult"],
    onAssigned: options.onAssigned,
    onRevoked: options.onRevoked,
    onLost: options.onLost,
  };
  refuseContradictions(options, resolved);
  return resolved;
}

function refuseContradictions<K, V>(options: ConsumerGroupOptions<K, V>, resolved: ResolvedGroupOptions): void {
  const { heartbeatIntervalMs, sessionTimeoutMs, revokeTimeoutMs, rebalanceTimeoutMs, ordering } = resolved;
  const refuse = (message: string): never => {
    throw new TypeError(`${OWNER}: ${message}`);
  };
  if (options.handler !== undefined && options.batchHandler !== undefined) {
    refuse('options "handler" and "batchHandler" exclude each other');
  }
  if (options.batchHandler !== undefined && ordering !== "partition") {
    refuse(`option "ordering" must be 'partition' with a batchHandler, got '${ordering}'`);
  }
  if (options.batchHandler !== undefined && resolved.commit === "record") {
    refuse("option \"commit\" cannot be 'record' with a batchHandler: 'batch' commits after each batch");
  }
  if (options.batchHandler === undefined && options.maxBatchRecords !== undefined) {
    refuse('option "maxBatchRecords" needs a batchHandler');
  }
  if (heartbeatIntervalMs >= sessionTimeoutMs) {
    refuse(
      `option "heartbeatIntervalMs" (${heartbeatIntervalMs}) must be less than sessionTimeoutMs (${sessionTimeoutMs})`,
    );
  }
  if (revokeTimeoutMs >= rebalanceTimeoutMs) {
    refuse(
      `option "revokeTimeoutMs" (${revokeTimeoutMs}) must be less than rebalanceTimeoutMs (${rebalanceTimeoutMs})`,
    );
  }
}

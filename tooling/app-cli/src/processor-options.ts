import { boolean, nonEmptyString, nonNegativeInteger, oneOf, positiveInteger, required } from "@eos/core";
import type { ProcessorOptions } from "@eos/transactions";
import type { CommandLine } from "./command-line.ts";
import {
  BROKERS_OPTION,
  type ConnectionOptions,
  type ConnectionValues,
  readConnectionOptions,
  SECURITY_OPTIONS,
} from "./connection-options.ts";
import { defined } from "./defined.ts";

/** What a program around a processor runs with. An option that was not given is absent: the processor's default holds. */
export interface ProcessorConfig {
  readonly input: string;
  readonly output: string;
  /** The output topic is created with this many partitions when it does not exist. */
  readonly outputPartitions: number | undefined;
  /** Processors in this process, each a member of the group. */
  readonly instances: number;
  /** Every output record says in its header `eos-source` which input record it came from. */
  readonly traceSource: boolean;
  /** The rest, as the processor takes it. */
  readonly processor: Pick<
    ProcessorOptions<unknown, unknown, unknown, unknown>,
    | "applicationId"
    | "commitIntervalMs"
    | "transactionTimeoutMs"
    | "producerScope"
    | "maxBatchBytes"
    | "replicationFactor"
    | "sessionTimeoutMs"
    | keyof ConnectionOptions
  >;
}

/** @param topics - what is in them, for `--help` */
export function processorOptions(topics: { readonly input: string; readonly output: string }) {
  return {
    ...BROKERS_OPTION,
    "application-id": {
      ...required(nonEmptyString),
      kind: "text",
      placeholder: "name",
      help: "the consumer group, and the prefix of the transactional ids",
    },
    input: { ...required(nonEmptyString), kind: "text", placeholder: "topic", help: topics.input },
    output: { ...required(nonEmptyString), kind: "text", placeholder: "topic", help: topics.output },
    "output-partitions": {
      ...positiveInteger,
      kind: "unsigned-integer",
      placeholder: "n",
      help: "create the output topic with n partitions if it does not exist (default: that is an error)",
    },
    "replication-factor": {
      ...positiveInteger,
      kind: "unsigned-integer",
      placeholder: "n",
      help: "of topics that are created (default 3, at most the number of brokers)",
    },
    instances: {
      ...positiveInteger,
      kind: "unsigned-integer",
      placeholder: "n",
      help: "processors in this process (default 1)",
    },
    "producer-scope": {
      ...oneOf("process", "task"),
      kind: "text",
      placeholder: "process|task",
      help: "one transaction per processor, or one per input partition (default process)",
    },
    "commit-interval-ms": {
      ...nonNegativeInteger,
      kind: "unsigned-integer",
      placeholder: "ms",
      help: "how often a transaction is committed (default 100)",
    },
    "transaction-timeout-ms": {
      ...positiveInteger,
      kind: "unsigned-integer",
      placeholder: "ms",
      help: "after this long the broker aborts the transaction of a processor that is gone (default 10000)",
    },
    "session-timeout-ms": {
      ...positiveInteger,
      kind: "unsigned-integer",
      placeholder: "ms",
      help: "after this long without a heartbeat a processor's partitions go to others (default 10000)",
    },
    "max-batch-bytes": {
      ...positiveInteger,
      kind: "unsigned-integer",
      placeholder: "bytes",
      help: "a batch of this size leaves before the commit (default 1048576)",
    },
    "trace-source": {
      ...boolean,
      kind: "flag",
      help: "add the header eos-source, <topic>-<partition>@<offset> of the input, to every output record",
    },
    ...SECURITY_OPTIONS,
  } as const satisfies CommandLine;
}

/** The values of {@link processorOptions} after their rules have accepted them. */
export interface ProcessorValues extends ConnectionValues {
  readonly "application-id": string;
  readonly input: string;
  readonly output: string;
  readonly "output-partitions"?: number;
  readonly "replication-factor"?: number;
  readonly instances?: number;
  readonly "producer-scope"?: "process" | "task";
  readonly "commit-interval-ms"?: number;
  readonly "transaction-timeout-ms"?: number;
  readonly "session-timeout-ms"?: number;
  readonly "max-batch-bytes"?: number;
  readonly "trace-source"?: boolean;
}

/** @throws TypeError on a file that cannot be read, and on options that are not complete without others */
export function readProcessorConfig(program: string, given: ProcessorValues): ProcessorConfig {
  return {
    input: given.input,
    output: given.output,
    outputPartitions: given["output-partitions"],
    instances: given.instances ?? 1,
    traceSource: given["trace-source"] ?? false,
    processor: {
      ...readConnectionOptions(program, given),
      applicationId: given["application-id"],
      ...defined("producerScope", given["producer-scope"]),
      ...defined("commitIntervalMs", given["commit-interval-ms"]),
      ...defined("transactionTimeoutMs", given["transaction-timeout-ms"]),
      ...defined("maxBatchBytes", given["max-batch-bytes"]),
      ...defined("replicationFactor", given["replication-factor"]),
      ...defined("sessionTimeoutMs", given["session-timeout-ms"]),
    },
  };
}

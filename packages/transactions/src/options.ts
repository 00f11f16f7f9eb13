import type { Client, ClientOptions, CodecName, FetchedRecord } from "@eos/client";
import {
  bytesSerde,
  type Clock,
  type EosError,
  fn,
  type LifecycleState,
  nonEmptyString,
  nonNegativeInteger,
  object,
  type Observer,
  oneOf,
  type OptionRule,
  type OutgoingRecord,
  positiveInteger,
  required,
  type Serde,
  type TransactionParticipant,
} from "@eos/core";
import type { TransformContext } from "./transform-context.ts";

/** An input topic and how its records are read. */
export interface InputTopic<K, V> {
  readonly topic: string;
  /** @defaultValue bytes */
  readonly key?: Serde<K>;
  /** @defaultValue bytes */
  readonly value?: Serde<V>;
}

/** An output topic and how its records are written. */
export interface OutputTopic<K, V> {
  readonly topic: string;
  /** @defaultValue bytes */
  readonly key?: Serde<K>;
  /** @defaultValue bytes */
  readonly value?: Serde<V>;
  /** Creates the topic with this many partitions if it does not exist. Without it a missing topic is an error. */
  readonly partitions?: number;
}

/** What `transform` may return: nothing, one record, or several, each now or later. A field left out keeps the input's. */
export type TransformResult<K, V> = OutgoingRecord<K, V> | readonly OutgoingRecord<K, V>[] | null | undefined | void;

export type Transform<KI, VI, KO, VO> = (
  record: FetchedRecord<KI, VI>,
  context: TransformContext,
) => TransformResult<KO, VO> | PromiseLike<TransformResult<KO, VO>>;

/** What to do with a record that could not be processed. */
export type ProcessingErrorAnswer = "retry" | "skip" | "fail";

export interface ProcessorOptions<KI, VI, KO, VO> extends ClientOptions {
  /** Names the consumer group and begins every transactional id: the same in all instances of the application. */
  readonly applicationId: string;
  /** One topic or several; a bare name is a topic of bytes. */
  readonly input: string | InputTopic<KI, VI> | readonly (string | InputTopic<KI, VI>)[];
  /** One topic or several; a record without `topic` goes to the first one. Optional with {@link stores}. */
  readonly output?: string | OutputTopic<KO, VO> | readonly (string | OutputTopic<KO, VO>)[];
  /** Turns an input record into what is written. Optional in a subclass that overrides `transform`. */
  readonly transform?: Transform<KI, VI, KO, VO>;
  /**
   * State that commits and aborts together with the transactions: stores of `@eos/state-store`, or participants of your
   * own. Each task has its part of each, for one partition number of the inputs; `transform` reaches it through its
   * context. Several inputs then need the same number of partitions, and `producerScope: 'process'`.
   * @defaultValue none
   */
  readonly stores?: readonly TransactionParticipant<unknown, Client>[];
  /**
   * Where stores keep their files. Choose a place that outlives the process and the machine's restarts: what is lost is
   * read from the changelogs again, all of it.
   * @defaultValue `eos` in the system's temporary folder
   */
  readonly stateDir?: string;
  /**
   * How long the files of a task stay in {@link stateDir} after it has gone to another process. It may come back: then
   * only what is missing is read.
   * @defaultValue 600 000 (as in Kafka Streams)
   */
  readonly stateCleanupDelayMs?: number;
  /** @defaultValue 'exactly_once_v2' */
  readonly processingGuarantee?: "exactly_once_v2" | "at_least_once";
  /**
   * How often what was processed is committed. 0: as soon as the last commit has ended.
   * @defaultValue 100 under exactly-once, 30 000 under at-least-once (as in Kafka Streams)
   */
  readonly commitIntervalMs?: number;
  /**
   * How long the broker keeps a transaction open whose owner is silent; at most its `transaction.max.timeout.ms`.
   * @defaultValue 10 000
   */
  readonly transactionTimeoutMs?: number;
  /**
   * One transactional id per process (`exactly_once_v2` of Kafka Streams: the fewest transactions) or per input
   * partition (each commits and aborts alone, at the price of more of them).
   * @defaultValue 'process'
   */
  readonly producerScope?: "process" | "task";
  /**
   * For topics that the processor creates; lowered, with a warning, to the number of brokers.
   * @defaultValue 3
   */
  readonly replicationFactor?: number;
  /** Compresses what is produced. @defaultValue 'none' */
  readonly compression?: CodecName | "none";
  /** Where a group without committed offsets begins. @defaultValue 'earliest' */
  readonly autoOffsetReset?: "earliest" | "latest" | "none";
  /** A member silent for this long is expelled and its partitions go to others. @defaultValue 10 000 */
  readonly sessionTimeoutMs?: number;
  /** @defaultValue 500, so that a dead member is replaced within a second of its expulsion */
  readonly heartbeatIntervalMs?: number;
  /** How long one promise of `transform` may take. @defaultValue 300 000 */
  readonly maxPollIntervalMs?: number;
  /** Largest record batch, in bytes before compression; at most the topics' `max.message.bytes`. @defaultValue 1 048 576 */
  readonly maxBatchBytes?: number;
  readonly onStateChange?: (next: LifecycleState, previous: LifecycleState) => void;
  /** Another producer has taken this one's transactional id. It goes on only if the group still counts it in. */
  readonly onFenced?: (error: EosError) => void;
  /** The broker refused this producer's epoch, as it does after it has timed out its transaction. */
  readonly onInvalidEpoch?: (error: EosError) => void;
  /** Decides about a record that failed, also by its serde. `attempt` counts from 1. @defaultValue () => 'fail' */
  readonly onProcessingError?: (
    error: unknown,
    record: FetchedRecord<KI, VI>,
    attempt: number,
  ) => ProcessingErrorAnswer | PromiseLike<ProcessingErrorAnswer>;
  readonly observer?: Observer;
  readonly clock?: Clock;
}

export interface ResolvedInput<K, V> {
  readonly topic: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

export interface ResolvedOutput<K, V> extends ResolvedInput<K, V> {
  readonly partitions: number | null;
}

export const PROCESSOR_DEFAULTS = {
  processingGuarantee: "exactly_once_v2",
  transactionTimeoutMs: 10_000,
  producerScope: "process",
  replicationFactor: 3,
  stateCleanupDelayMs: 600_000,
  compression: "none",
  autoOffsetReset: "earliest",
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 500,
  maxPollIntervalMs: 300_000,
} as const;

const MAX_TOPIC_NAME = 249;
const TOPIC_NAME = /^[a-zA-Z0-9._-]+$/;

function isTopicName(value: unknown): boolean {
  return (
    typeof value === "string" &&
    TOPIC_NAME.test(value) &&
    value.length <= MAX_TOPIC_NAME &&
    value !== "." &&
    value !== ".."
  );
}

const topics: OptionRule = {
  expects: "a topic name, { topic, key?, value? }, or a non-empty array of them",
  accepts: (value) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return (
      list.length > 0 &&
      list.every((item) => isTopicName(item) || isTopicName((item as InputTopic<unknown, unknown> | null)?.topic))
    );
  },
};

const applicationName: OptionRule = {
  expects: "a name of letters, digits, '.', '_' and '-'",
  accepts: isTopicName,
};

const stores: OptionRule = {
  expects: "an array of stores, each with a name of its own",
  accepts: (value) =>
    Array.isArray(value) && value.every(isParticipant) && new Set(value.map(({ name }) => name)).size === value.length,
};

function isParticipant(value: unknown): boolean {
  const { name, prepare, open } = (value ?? {}) as { readonly [field: string]: unknown };
  return nonEmptyString.accepts(name) && typeof prepare === "function" && typeof open === "function";
}

/** Rules of the options that the client does not check itself. */
export const PROCESSOR_OPTION_RULES = {
  applicationId: required(applicationName),
  input: required(topics),
  output: topics,
  transform: fn,
  stores,
  stateDir: nonEmptyString,
  stateCleanupDelayMs: positiveInteger,
  processingGuarantee: oneOf("exactly_once_v2", "at_least_once"),
  commitIntervalMs: nonNegativeInteger,
  transactionTimeoutMs: positiveInteger,
  producerScope: oneOf("process", "task"),
  replicationFactor: positiveInteger,
  compression: oneOf("none", "gzip", "snappy", "lz4", "zstd"),
  autoOffsetReset: oneOf("earliest", "latest", "none"),
  sessionTimeoutMs: positiveInteger,
  heartbeatIntervalMs: positiveInteger,
  maxPollIntervalMs: positiveInteger,
  maxBatchBytes: positiveInteger,
  onStateChange: fn,
  onFenced: fn,
  onInvalidEpoch: fn,
  onProcessingError: fn,
  observer: object,
  clock: object,
  clientId: nonEmptyString,
} as const;

/** What no rule of a single option can say. @throws TypeError */
export function checkCombinations<KI, VI, KO, VO>(
  owner: string,
  { input, output, stores: given = [], producerScope }: ProcessorOptions<KI, VI, KO, VO>,
): void {
  if (output === undefined && given.length === 0) {
    throw new TypeError(`${owner}: option "output" is required without "stores"; it must be ${topics.expects}`);
  }
  if (given.length > 0 && producerScope === "task" && toList(input).length > 1) {
    throw new TypeError(
      `${owner}: with several inputs, option "stores" needs producerScope "process": the state of a task must not be in two transactions`,
    );
  }
}

export function resolveInputs<K, V>(input: ProcessorOptions<K, V, unknown, unknown>["input"]): ResolvedInput<K, V>[] {
  return toList(input).map((given) => {
    const { topic, key, value } = typeof given === "string" ? ({ topic: given } as InputTopic<K, V>) : given;
    return { topic, key: key ?? bytes<K>(), value: value ?? bytes<V>() };
  });
}

export function resolveOutputs<K, V>(
  output: ProcessorOptions<unknown, unknown, K, V>["output"],
): ResolvedOutput<K, V>[] {
  return (output === undefined ? [] : toList(output)).map((given) => {
    const { topic, key, value, partitions } =
      typeof given === "string" ? ({ topic: given } as OutputTopic<K, V>) : given;
    return { topic, key: key ?? bytes<K>(), value: value ?? bytes<V>(), partitions: partitions ?? null };
  });
}

/** A topic given by its name alone is a topic of bytes, whatever the type parameters say. */
function bytes<T>(): Serde<T> {
  return bytesSerde as unknown as Serde<T>;
}

function toList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

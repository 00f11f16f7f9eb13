import { randomUUID } from "node:crypto";
import {
  CLIENT_OPTION_RULES,
  type Client,
  createClient,
  type FetchedRecord,
  type GroupConsumer,
  isGroupFence,
  pickClientOptions,
} from "@eos/client";
import {
  checkOptions,
  createConsoleLogger,
  createStateMachine,
  LIFECYCLE_TRANSITIONS,
  type LifecycleState,
  type Logger,
  notify,
  type StateMachine,
  systemClock,
} from "@eos/core";
import { ProcessingError, ProcessingTimeoutError } from "./errors.ts";
import {
  checkCombinations,
  PROCESSOR_DEFAULTS,
  PROCESSOR_OPTION_RULES,
  type ProcessorOptions,
  resolveInputs,
  resolveOutputs,
  type TransformResult,
} from "./options.ts";
import { ProcessorMetrics, type ProcessorMetricsSnapshot } from "./processor-metrics.ts";
import { prepareProcessor } from "./processor-preparation.ts";
import { TaskManager } from "./task-manager.ts";
import type { TransformContext } from "./transform-context.ts";

/** What a health endpoint shows. */
export interface ProcessorHealth {
  readonly state: LifecycleState;
  /** The process does its work or is on the way to: restart it when this is false. */
  readonly isLive: boolean;
  /** It holds its assignment and processes: false also while a transaction is recovered from, or state restored. */
  readonly isReady: boolean;
  readonly assignedPartitions: number;
  readonly sinceLastHeartbeatMs: number;
  readonly openTransactionAgeMs: number;
  /** What stopped it. */
  readonly error: Error | null;
}

/** Kafka Streams' intervals. */
const COMMIT_INTERVAL_MS = { exactly_once_v2: 100, at_least_once: 30_000 } as const;
const REBALANCE_TIMEOUT_MS = 60_000;
/** On revocation and shutdown, promises of `transform` get this long; after that their records come again elsewhere. */
const SETTLE_MS = 5_000;
const CLOSE_TIMEOUT_MS = 10_000;
const STUCK_CHECK_MS = 1_000;

/**
 * Consumes, transforms and produces, exactly once: outputs and input offsets are committed in one transaction, fenced
 * by producer epoch and group generation (KIP-98, KIP-447, KIP-890).
 *
 * Made by {@link createExactlyOnceProcessor}, or subclassed with `transform` overridden.
 */
export class ExactlyOnceProcessor<KI = Buffer, VI = Buffer, KO = KI, VO = VI> {
  readonly #options: ProcessorOptions<KI, VI, KO, VO>;
  readonly #machine: StateMachine<LifecycleState>;
  readonly #logger: Logger;
  readonly #client: Client;
  readonly #metrics = new ProcessorMetrics();
  readonly #processId = randomUUID();
  readonly #tasks: TaskManager<KI, VI, KO, VO>;
  readonly #settled: Promise<void>;
  #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void };
  #consumer: GroupConsumer | null = null;
  #stuckTimer: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;
  #error: Error | null = null;

  /** @throws TypeError on an unknown, wrong or missing option. */
  constructor(options: ProcessorOptions<KI, VI, KO, VO>) {
    checkOptions("createExactlyOnceProcessor", options, { ...CLIENT_OPTION_RULES, ...PROCESSOR_OPTION_RULES });
    checkCombinations("createExactlyOnceProcessor", options);
    if (options.transform === undefined && this.transform === ExactlyOnceProcessor.prototype.transform) {
      throw new TypeError('createExactlyOnceProcessor: option "transform" is required; it must be a function');
    }
    this.#options = options;
    const clock = options.clock ?? systemClock;
    const logger = options.logger ?? createConsoleLogger({ level: "warn" });
    this.#logger = logger;
    const observer = options.observer ?? {};
    const guarantee = options.processingGuarantee ?? PROCESSOR_DEFAULTS.processingGuarantee;
    const settle = { resolve: () => {}, reject: (_error: Error): void => {} };
    this.#settled = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }));
    // Whoever does not look at `finished` sees the error through the state and the log.
    this.#settled.catch(() => undefined);
    this.#settle = settle;
    this.#machine = createStateMachine<LifecycleState>({
      name: options.applicationId,
      initial: "CREATED",
      transitions: LIFECYCLE_TRANSITIONS,
    });
    this.#machine.onTransition((next, previous) => {
      logger.info({ applicationId: options.applicationId, next, previous }, `${previous} → ${next}`);
      notify(observer, "stateChanged", { name: options.applicationId, next, previous });
      options.onStateChange?.(next, previous);
    });
    this.#client = createClient({ ...pickClientOptions(options), clock });
    this.#tasks = new TaskManager<KI, VI, KO, VO>({
      client: this.#client,
      clock,
      logger,
      observer,
      metrics: this.#metrics,
      applicationId: options.applicationId,
      processId: this.#processId,
      inputs: resolveInputs(options.input),
      outputs: resolveOutputs(options.output),
      stores: options.stores ?? [],
      transform: (record, context) => this.transform(record, context),
      guarantee,
      producerScope: options.producerScope ?? PROCESSOR_DEFAULTS.producerScope,
      commitIntervalMs: options.commitIntervalMs ?? COMMIT_INTERVAL_MS[guarantee],
      transactionTimeoutMs: options.transactionTimeoutMs ?? PROCESSOR_DEFAULTS.transactionTimeoutMs,
      maxBatchBytes: options.maxBatchBytes,
      compression: options.compression ?? PROCESSOR_DEFAULTS.compression,
      autoOffsetReset: options.autoOffsetReset ?? PROCESSOR_DEFAULTS.autoOffsetReset,
      consumer: () => this.#consumer as GroupConsumer,
      onProcessingError: (error, record, attempt) =>
        options.onProcessingError?.(error, record as FetchedRecord<KI, VI>, attempt) ?? "fail",
      onSkipped: (error, { topic, partition, offset }) => {
        this.#metrics.skipped();
        logger.warn({ topic, partition, offset, err: error }, "a record was skipped");
        notify(observer, "recordSkipped", { topic, partition, offset, error });
      },
      onTaskFailure: (error, { topic, partition, offset }) =>
        this.#fail(new ProcessingError({ topic, partition, offset }, error)),
      onFenced: (error) => {
        if (error.kafkaName === "INVALID_PRODUCER_EPOCH") options.onInvalidEpoch?.(error);
        else options.onFenced?.(error);
      },
      onFatal: (error) => this.#fail(error),
    });
  }

  get state(): LifecycleState {
    return this.#machine.state;
  }

  /** Settles when the processor has stopped: resolves after {@link close}, rejects with the error that stopped it. */
  get finished(): Promise<void> {
    return this.#settled;
  }

  /**
   * Turns a record into what is written for it; the method to override in a subclass. An absent field of what is
   * returned keeps the input's. An error thrown here goes to `onProcessingError`.
   *
   * @param context - the record's task, and its stores
   */
  transform(
    record: FetchedRecord<KI, VI>,
    context: TransformContext,
  ): TransformResult<KO, VO> | PromiseLike<TransformResult<KO, VO>> {
    return this.#options.transform?.(record, context);
  }

  /**
   * Connects, checks topics and limits, prepares the stores, and joins the group; processing begins with the first
   * assignment (`RUNNING`).
   * @throws ConnectionError, UnknownTopicError, AuthenticationError, AuthorizationError, TransactionTimeoutTooLargeError,
   * PartitionCountMismatchError, and what a store's `prepare` throws
   */
  async start(): Promise<void> {
    this.#machine.transition("REBALANCING");
    try {
      await this.#client.connect();
      await prepareProcessor(this.#options, this.#client, this.#logger);
      const consumer = this.#createConsumer(resolveInputs(this.#options.input).map(({ topic }) => topic));
      this.#consumer = consumer;
      await consumer.start();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    const { maxPollIntervalMs = PROCESSOR_DEFAULTS.maxPollIntervalMs } = this.#options;
    this.#stuckTimer = setInterval(
      () => {
        const record = this.#tasks.stuckRecord(maxPollIntervalMs);
        if (record !== null) this.#fail(new ProcessingTimeoutError(record, maxPollIntervalMs));
      },
      Math.min(STUCK_CHECK_MS, maxPollIntervalMs),
    );
    this.#stuckTimer.unref();
  }

  /** Commits what is done, leaves the group and disconnects. After an error it only disconnects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  health(): ProcessorHealth {
    const { sessionTimeoutMs = PROCESSOR_DEFAULTS.sessionTimeoutMs } = this.#options;
    const { state } = this.#machine;
    const sinceLastHeartbeatMs = this.#consumer?.sinceLastHeartbeatMs() ?? 0;
    return {
      state,
      isLive: this.#machine.is("CREATED", "REBALANCING", "RUNNING", "PENDING_SHUTDOWN"),
      isReady: state === "RUNNING" && this.#tasks.isRunning && sinceLastHeartbeatMs < sessionTimeoutMs,
      assignedPartitions: this.#tasks.taskCount,
      sinceLastHeartbeatMs,
      openTransactionAgeMs: this.#tasks.openTransactionAgeMs(),
      error: this.#error,
    };
  }

  metrics(): ProcessorMetricsSnapshot {
    return this.#metrics.snapshot(this.#tasks.openTransactionAgeMs());
  }

  #createConsumer(topics: readonly string[]): GroupConsumer {
    const { applicationId, observer = {} } = this.#options;
    return this.#client.groupConsumer({
      groupId: applicationId,
      topics,
      sessionTimeoutMs: this.#options.sessionTimeoutMs ?? PROCESSOR_DEFAULTS.sessionTimeoutMs,
      heartbeatIntervalMs: this.#options.heartbeatIntervalMs ?? PROCESSOR_DEFAULTS.heartbeatIntervalMs,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      processId: this.#processId,
      observer,
      onFetched: (queue) => this.#tasks.fetched(queue),
      onFetchError: (_queue, error) => this.#fail(error),
      onFatal: (error) => this.#fail(error),
      hooks: {
        onAssigned: async (partitions, generation, signal, processIds) => {
          try {
            await this.#tasks.assigned(partitions, generation, signal, processIds);
          } catch (error) {
            // The generation ended while it was being taken up: the hook that follows, and the next one, see to it.
            if (signal.aborted) return;
            if (!isGroupFence(error)) throw error;
            this.#consumer?.requestRejoin();
            return;
          }
          if (this.#machine.state === "REBALANCING") this.#machine.transition("RUNNING");
        },
        onRevoked: async () => {
          if (this.#machine.state === "RUNNING") this.#machine.transition("REBALANCING");
          if (this.#error !== null) await this.#tasks.lost();
          else await this.#tasks.revoked(AbortSignal.timeout(SETTLE_MS));
        },
        onLost: async () => {
          if (this.#machine.state === "RUNNING") this.#machine.transition("REBALANCING");
          await this.#tasks.lost();
        },
      },
    });
  }

  #fail(cause: unknown): void {
    if (this.#error !== null || !this.#machine.can("PENDING_ERROR")) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#error = error;
    this.#machine.transition("PENDING_ERROR");
    const logger = this.#logger;
    logger.error({ applicationId: this.#options.applicationId, err: error }, `stopping: ${error.message}`);
    void this.#shutDown()
      .catch((again: unknown) => logger.error({ err: again }, "stopping after an error failed"))
      .then(() => {
        this.#machine.transition("ERROR");
        this.#settle.reject(error);
      });
  }

  async #close(): Promise<void> {
    if (this.#machine.is("PENDING_ERROR", "ERROR")) {
      await this.#settled.catch(() => undefined);
      return;
    }
    if (!this.#machine.can("PENDING_SHUTDOWN")) return;
    this.#machine.transition("PENDING_SHUTDOWN");
    await this.#shutDown();
    this.#machine.transition("NOT_RUNNING");
    this.#settle.resolve();
  }

  async #shutDown(): Promise<void> {
    if (this.#stuckTimer !== null) clearInterval(this.#stuckTimer);
    const consumer = this.#consumer;
    // The broker may be gone: then nobody answers, and what is open is left to its timeout.
    const limit = setTimeout(() => void this.#tasks.close(), CLOSE_TIMEOUT_MS - 2_000);
    try {
      if (consumer !== null) await Promise.race([consumer.close(), sleepUnref(CLOSE_TIMEOUT_MS)]);
    } finally {
      clearTimeout(limit);
      // Stores mark here that they were closed cleanly, each within its own limit.
      await this.#tasks.close();
      await this.#client.close();
    }
  }
}

/** Creates a processor; `start()` begins. @throws TypeError on an unknown, wrong or missing option. */
export function createExactlyOnceProcessor<KI = Buffer, VI = Buffer, KO = KI, VO = VI>(
  options: ProcessorOptions<KI, VI, KO, VO>,
): ExactlyOnceProcessor<KI, VI, KO, VO> {
  return new ExactlyOnceProcessor(options);
}

function sleepUnref(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

import { type Client, createClient, type FetchedRecord, pickClientOptions } from "@eos/client";
import {
  type Clock,
  createConsoleLogger,
  createStateMachine,
  LIFECYCLE_TRANSITIONS,
  type LifecycleState,
  type Logger,
  notify,
  type Observer,
  positiveInteger,
  systemClock,
  type TopicPartition,
} from "@eos/core";
import type { CloseGroupOptions, ConsumerGroup, GroupHealth, SeekPosition } from "./consumer-group.ts";
import { GroupClosedError, NotAssignedError } from "./errors.ts";
import { adminLagSource } from "./lag/admin-lag-source.ts";
import type { GroupLag } from "./lag/group-lag.ts";
import { type LagListener, LagMonitor, type LagWatchOptions } from "./lag/lag-monitor.ts";
import { ConsumerMember } from "./member/consumer-member.ts";
import { GroupMetrics, type GroupMetricsSnapshot } from "./member/group-metrics.ts";
import { type AnyMember, Members } from "./member/members.ts";
import { ObserverHub } from "./observer-hub.ts";
import type { ConsumerGroupOptions } from "./options.ts";
import { type PauseOptions, Pauses } from "./pauses.ts";
import { type Envelope, RecordStream } from "./record-stream.ts";
import { type ResolvedGroupOptions, resolveGroupOptions } from "./resolved-options.ts";
import { seekOffset } from "./seek-offset.ts";
import { type AnyWorkKind, batchByBatch, recordByRecord, streamed } from "./work/work-kind.ts";

/** Leaves two of the ten seconds that supervisors usually give a process. */
const CLOSE_TIMEOUT_MS = 8_000;

/** Creates a group; `start()` begins. @throws TypeError on an unknown, wrong or missing option */
export function createConsumerGroup<K = Buffer, V = Buffer>(options: ConsumerGroupOptions<K, V>): ConsumerGroup<K, V> {
  return new ManagedGroup(options);
}

class ManagedGroup<K, V> implements ConsumerGroup<K, V> {
  readonly #resolved: ResolvedGroupOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #client: Client;
  readonly #hub = new ObserverHub();
  readonly #metrics = new GroupMetrics();
  readonly #machine = createStateMachine<LifecycleState>({
    name: "consumer group",
    initial: "CREATED",
    transitions: LIFECYCLE_TRANSITIONS,
  });
  readonly #kind: AnyWorkKind;
  /** Of a group without a handler. */
  readonly #stream: RecordStream<K, V> | null;
  readonly #members: Members;
  readonly #pauses: Pauses;
  readonly #lag: LagMonitor;
  readonly #lagWatches = new Set<() => void>();
  readonly finished: Promise<void>;
  #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void };
  #starting: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #wanted = 0;
  #error: Error | null = null;

  constructor(options: ConsumerGroupOptions<K, V>) {
    const resolved = resolveGroupOptions(options);
    const { groupId } = resolved;
    this.#resolved = resolved;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? createConsoleLogger({ level: "warn" });
    const settle = { resolve: () => {}, reject: (_error: Error): void => {} };
    this.finished = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }));
    // Whoever does not look at `finished` sees the error through the state and the log.
    this.finished.catch(() => undefined);
    this.#settle = settle;
    this.#watch(options);
    this.#client = createClient({ ...pickClientOptions(options), logger: this.#logger, clock: this.#clock });
    const isHandled = options.handler !== undefined || options.batchHandler !== undefined;
    this.#stream = isHandled ? null : new RecordStream<K, V>();
    this.#kind = this.#workKind(options);
    this.#members = new Members({
      create: (index) => this.#createMember(index),
      clock: this.#clock,
      logger: this.#logger,
      groupId,
      closeTimeoutMs: CLOSE_TIMEOUT_MS,
      onMemberFailure: resolved.onMemberFailure,
      onFailed: (error, willBeReplaced) => {
        this.#metrics.membersFailed++;
        notify(this.#hub.observer, "memberFailed", { groupId, error, willBeReplaced });
      },
      onFatal: (error) => this.#fail(error),
    });
    this.#pauses = new Pauses((partition) => this.resume(partition));
    this.#lag = new LagMonitor({ source: adminLagSource(this.#client.admin, resolved), clock: this.#clock });
  }

  get groupId(): string {
    return this.#resolved.groupId;
  }

  get state(): LifecycleState {
    return this.#machine.state;
  }

  get assigned(): readonly TopicPartition[] {
    return this.#members.all.flatMap((member) => member.assigned);
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  close(options: CloseGroupOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async scale(members: number): Promise<void> {
    if (!Number.isSafeInteger(members) || members < 0) {
      throw new TypeError(`scale: the number of members must be an integer of 0 or more, got ${members}`);
    }
    if (!this.#machine.is("REBALANCING", "RUNNING")) throw new GroupClosedError(this.groupId);
    this.#wanted = members;
    this.#membersChanged();
    try {
      await this.#members.scale(members);
    } finally {
      this.#wanted = this.#members.size;
      this.#membersChanged();
    }
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<FetchedRecord<K, V>, void, void> {
    return this.#streamOfRecords().records();
  }

  records({ maxInFlight = Number.POSITIVE_INFINITY } = {}): AsyncIterableIterator<
    Envelope<FetchedRecord<K, V>>,
    void,
    void
  > {
    if (maxInFlight !== Number.POSITIVE_INFINITY && !positiveInteger.accepts(maxInFlight)) {
      throw new TypeError(`records: option "maxInFlight" must be a positive integer, got ${maxInFlight}`);
    }
    return this.#streamOfRecords().envelopes(maxInFlight);
  }

  async commit(): Promise<void> {
    const signal = AbortSignal.timeout(this.#resolved.sessionTimeoutMs);
    await Promise.all(this.#members.all.map((member) => member.commit(signal)));
  }

  pause(partition: TopicPartition, options: PauseOptions = {}): void {
    this.#pauses.add(partition, options);
    for (const member of this.#members.all) member.pause(partition);
    this.#logger.info({ groupId: this.groupId, ...partition, ...options }, "paused");
  }

  resume(partition: TopicPartition): void {
    this.#pauses.delete(partition);
    for (const member of this.#members.all) member.resume(partition);
    this.#logger.info({ groupId: this.groupId, ...partition }, "resumed");
  }

  async seek(partition: TopicPartition, position: SeekPosition): Promise<void> {
    const offset = await seekOffset(this.#client.admin, partition, position);
    const member = this.#members.all.find((candidate) => candidate.has(partition));
    if (member === undefined) throw new NotAssignedError(partition);
    member.seek(partition, offset);
  }

  lag(): Promise<GroupLag> {
    return this.#lag.sample();
  }

  watchLag(listener: LagListener, options?: LagWatchOptions): () => void {
    const stop = this.#lag.watch(listener, options);
    this.#lagWatches.add(stop);
    return () => {
      stop();
      this.#lagWatches.delete(stop);
    };
  }

  observe(observer: Observer): () => void {
    return this.#hub.add(observer);
  }

  metrics(): GroupMetricsSnapshot {
    const members = this.#members.all;
    const inFlight = members.reduce((sum, member) => sum + member.recordsInFlight, 0);
    return this.#metrics.snapshot(
      this.#clock.monotonicMs(),
      inFlight,
      members.map((member) => member.idleRatio),
    );
  }

  health(): GroupHealth {
    const { state } = this.#machine;
    const members = this.#members.all.map((member) => member.health);
    const { sessionTimeoutMs } = this.#resolved;
    return {
      state,
      isLive: this.#machine.is("CREATED", "REBALANCING", "RUNNING", "PENDING_SHUTDOWN"),
      isReady: state === "RUNNING" && members.every((member) => member.sinceLastHeartbeatMs < sessionTimeoutMs),
      members,
      paused: this.#pauses.partitions,
      error: this.#error,
    };
  }

  #workKind(options: ConsumerGroupOptions<K, V>): AnyWorkKind {
    const { ordering, commit, maxBatchRecords } = this.#resolved;
    const recordWork = { ordering, commitsEachRecord: commit === "record" };
    if (this.#stream !== null) return streamed(this.#stream, recordWork);
    if (options.batchHandler !== undefined) return batchByBatch(options.batchHandler, maxBatchRecords);
    return recordByRecord(options.handler as NonNullable<typeof options.handler>, recordWork);
  }

  /** Counts what happens, and tells those whom the options name. */
  #watch({ onStateChange, observer }: ConsumerGroupOptions<K, V>): void {
    const metrics = this.#metrics;
    this.#hub.add({
      rebalanced: ({ durationMs }) => metrics.rebalanced(durationMs, this.#clock.monotonicMs()),
      offsetsCommitted: ({ durationMs }) => metrics.commits.add(durationMs),
      commitRefused: () => metrics.commitsRefused++,
    });
    if (observer !== undefined) this.#hub.add(observer);
    this.#machine.onTransition((next, previous) => {
      this.#logger.info({ groupId: this.groupId, next, previous }, `${previous} → ${next}`);
      notify(this.#hub.observer, "stateChanged", { name: this.groupId, next, previous });
      onStateChange?.(next, previous);
    });
  }

  #createMember(index: number): AnyMember {
    const { groupInstanceId, members } = this.#resolved;
    const isOnlyOne = members === 1 && index === 0;
    const member: AnyMember = new ConsumerMember({
      client: this.#client,
      clock: this.#clock,
      logger: this.#logger,
      observer: this.#hub.observer,
      metrics: this.#metrics,
      group: this.#resolved,
      kind: this.#kind,
      groupInstanceId: groupInstanceId === null || isOnlyOne ? groupInstanceId : `${groupInstanceId}-${index + 1}`,
      isPaused: (partition) => this.#pauses.has(partition),
      onRunning: () => this.#membersChanged(),
      onFailure: (error) => {
        this.#members.failed(member, error);
        this.#membersChanged();
      },
      onFatal: (error) => this.#fail(error),
    });
    return member;
  }

  #membersChanged(): void {
    const members = this.#members.all;
    const isRunning = members.length === this.#wanted && members.every(({ health }) => health.isRunning);
    const next = isRunning ? "RUNNING" : "REBALANCING";
    if (this.#machine.state !== next && this.#machine.is("RUNNING", "REBALANCING")) this.#machine.transition(next);
  }

  async #start(): Promise<void> {
    if (this.#machine.state !== "CREATED") throw new GroupClosedError(this.groupId);
    this.#machine.transition("REBALANCING");
    try {
      await this.#client.connect();
      this.#wanted = this.#resolved.members;
      await this.#members.scale(this.#wanted);
      this.#membersChanged();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #streamOfRecords(): RecordStream<K, V> {
    if (this.#stream === null) {
      throw new TypeError("createConsumerGroup: a group with a handler cannot be iterated; leave the handler out");
    }
    // What it fails with ends the stream, and so reaches whoever iterates.
    if (this.#machine.state === "CREATED") this.start().catch(() => undefined);
    return this.#stream;
  }

  #fail(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (this.#error !== null || !this.#machine.can("PENDING_ERROR")) {
      this.#logger.warn({ groupId: this.groupId, err: error }, "failed while stopping");
      return;
    }
    this.#error = error;
    this.#machine.transition("PENDING_ERROR");
    this.#logger.error({ groupId: this.groupId, err: error }, `stopping: ${error.message}`);
    void this.#shutDown({})
      .catch((again: unknown) => this.#logger.error({ err: again }, "stopping after an error failed"))
      .then(() => {
        this.#machine.transition("ERROR");
        this.#settle.reject(error);
      });
  }

  async #close(options: CloseGroupOptions): Promise<void> {
    if (this.#machine.is("PENDING_ERROR", "ERROR")) {
      await this.finished.catch(() => undefined);
      return;
    }
    if (!this.#machine.can("PENDING_SHUTDOWN")) return;
    this.#machine.transition("PENDING_SHUTDOWN");
    await this.#shutDown(options);
    this.#machine.transition("NOT_RUNNING");
    this.#settle.resolve();
  }

  async #shutDown({ timeoutMs = CLOSE_TIMEOUT_MS, drain = true, leaveGroup }: CloseGroupOptions): Promise<void> {
    for (const stop of this.#lagWatches) stop();
    this.#pauses.clear();
    this.#stream?.end(this.#error);
    await this.#members.close({ timeoutMs, drain, leaveGroup });
    await this.#client.close();
  }
}

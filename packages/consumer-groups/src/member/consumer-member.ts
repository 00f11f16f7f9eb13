import { type Client, type GroupConsumer, type GroupGeneration, isGroupFence, Scheduler } from "@eos/client";
import type { Clock, Logger, Observer, TopicPartition } from "@eos/core";
import { GroupClosedError, MaxPollIntervalExceededError } from "../errors.ts";
import type { ResolvedGroupOptions } from "../resolved-options.ts";
import type { AnyWork } from "../work/any-work.ts";
import { Handling } from "../work/handling.ts";
import type { WorkOwner } from "../work/partition-work.ts";
import { Slots } from "../work/slots.ts";
import type { WorkKind } from "../work/work-kind.ts";
import { AssignedWorks } from "./assigned-works.ts";
import { BusyMeter } from "./busy-meter.ts";
import { committedPositions } from "./committed-offsets.ts";
import { Committer } from "./committer.ts";
import type { GroupMetrics } from "./group-metrics.ts";

export interface ConsumerMemberOptions<T> {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly metrics: GroupMetrics;
  readonly group: ResolvedGroupOptions;
  readonly kind: WorkKind<T>;
  readonly groupInstanceId: string | null;
  readonly isPaused: (partition: TopicPartition) => boolean;
  /** It holds an assignment and works, or does so no longer. */
  readonly onRunning: (isRunning: boolean) => void;
  /** It cannot go on; another might. */
  readonly onFailure: (error: Error) => void;
  /** The group cannot go on. */
  readonly onFatal: (error: Error) => void;
}

export interface CloseOptions {
  readonly timeoutMs: number;
  readonly drain: boolean;
  readonly leaveGroup: boolean | undefined;
}

/** What a health endpoint shows of a member. */
export interface MemberHealth {
  /** `null` before the group has given it one. */
  readonly memberId: string | null;
  readonly groupInstanceId: string | null;
  readonly isRunning: boolean;
  readonly assigned: readonly TopicPartition[];
  readonly sinceLastHeartbeatMs: number;
}

const STUCK_CHECK_MS = 1_000;
/** So much of the time to close is for what follows the handlers: commits and leaving. */
const AFTER_DRAIN_SHARE = 0.2;
/** The rebalance hook as a whole may take so much longer than the handlers in it. */
const AFTER_REVOKE_MS = 5_000;

/** One member of the group: its assignment, the work on it, and its commits. */
export class ConsumerMember<T> {
  readonly #options: ConsumerMemberOptions<T>;
  readonly #consumer: GroupConsumer;
  readonly #works: AssignedWorks<T>;
  readonly #handling: Handling<T>;
  readonly #scheduler: Scheduler;
  readonly #committer: Committer;
  readonly #meter: BusyMeter;
  #isRunning = false;
  #drainMs: number;
  /** Set while handlers get their time to finish. */
  #endDrain: (() => void) | null = null;
  #stuckTimer: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ConsumerMemberOptions<T>) {
    const { client, clock, logger, observer, metrics, group, kind, isPaused } = options;
    const onFatal = (error: unknown): void => options.onFatal(toError(error));
    this.#options = options;
    this.#drainMs = group.revokeTimeoutMs;
    this.#meter = new BusyMeter(clock);
    const slots = new Slots(group.concurrency);
    this.#handling = new Handling<T>({
      groupId: group.groupId,
      handle: kind.handle,
      recordsOf: kind.recordsOf,
      slots,
      logger,
      metrics,
      meter: this.#meter,
      deadLetter: group.deadLetter,
      onError: group.onError,
      onResult: group.onResult,
      observer,
      onStop: options.onFatal,
      onIdle: () => this.#endDrain?.(),
    });
    this.#scheduler = new Scheduler(() => this.#isRunning);
    this.#committer = new Committer({
      client,
      mode: group.commit,
      clock,
      logger,
      observer,
      works: () => this.#works.all,
      onCommitted: (work: AnyWork) => work.committed(),
      onRefused: (generation) => {
        // The answer may come when the member has long joined again.
        if (generation === this.#works.generation) this.#consumer.requestRejoin();
      },
      onFatal,
    });
    this.#consumer = this.#createConsumer();
    const workOwner: WorkOwner<T> = {
      handling: this.#handling,
      slots,
      meter: this.#meter,
      metrics,
      maxOutstanding: group.maxQueueRecords,
      progressed: () => this.#committer.progressed(),
      due: () => this.#committer.due(),
      wakeFetcher: () => this.#consumer.wake(),
      resume: (work) => this.#scheduler.resume(work),
      onUnreadable: onFatal,
    };
    this.#works = new AssignedWorks<T>({
      admin: client.admin,
      consumer: this.#consumer,
      scheduler: this.#scheduler,
      logger,
      group,
      kind,
      workOwner,
      isPaused,
      onFatal,
    });
  }

  /** @throws ConnectionError, UnknownTopicError, AuthenticationError, AuthorizationError */
  async start(): Promise<void> {
    const { maxPollIntervalMs } = this.#options.group;
    this.#stuckTimer = setInterval(() => this.#lookForStuck(), Math.min(STUCK_CHECK_MS, maxPollIntervalMs));
    this.#stuckTimer.unref();
    await this.#consumer.start();
  }

  get health(): MemberHealth {
    return {
      memberId: this.#consumer.generation?.memberId ?? null,
      groupInstanceId: this.#options.groupInstanceId,
      isRunning: this.#isRunning,
      assigned: this.assigned,
      sinceLastHeartbeatMs: this.#consumer.sinceLastHeartbeatMs(),
    };
  }

  get assigned(): readonly TopicPartition[] {
    return Array.from(this.#works.all, ({ queue: { topic, partition } }) => ({ topic, partition }));
  }

  get recordsInFlight(): number {
    return [...this.#handling.inHand].reduce(
      (sum, { subject }) => sum + this.#options.kind.recordsOf(subject).length,
      0,
    );
  }

  get idleRatio(): number {
    return this.#meter.idleRatio();
  }

  has(partition: TopicPartition): boolean {
    return this.#works.get(partition) !== undefined;
  }

  pause(partition: TopicPartition): void {
    this.#works.get(partition)?.pause();
  }

  resume(partition: TopicPartition): void {
    const work = this.#works.get(partition);
    if (work === undefined) return;
    work.queue.paused = false;
    this.#consumer.wake();
    this.#scheduler.resume(work);
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#works.get(partition)?.seek(offset, new Error(`the position was moved to ${offset}`));
  }

  /** Commits everything completed at this moment. @throws BrokerError when the coordinator refuses it */
  async commit(signal: AbortSignal): Promise<void> {
    await this.#committer.flush(signal);
  }

  /** Lets handlers finish (`drain`), commits, leaves the group and disconnects; never takes longer than `timeoutMs`. */
  close(options: CloseOptions): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close({ timeoutMs, drain, leaveGroup }: CloseOptions): Promise<void> {
    const { groupId } = this.#options.group;
    if (this.#stuckTimer !== null) clearInterval(this.#stuckTimer);
    // Before anything is dropped: whoever waits for the slot must not begin.
    this.#stop();
    this.#drainMs = Math.min(this.#drainMs, timeoutMs * (1 - AFTER_DRAIN_SHARE));
    const closed = new GroupClosedError(groupId);
    if (!drain) for (const delivery of this.#handling.inHand) this.#handling.drop(delivery, closed);
    // A rebalance may have begun to wait for handlers before, and for longer.
    const drained = setTimeout(() => this.#endDrain?.(), this.#drainMs);
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    try {
      await Promise.race([this.#consumer.close(leaveGroup === undefined ? {} : { leaveGroup }), expired]);
    } finally {
      clearTimeout(drained);
      clearTimeout(timer);
      this.#committer.close();
      this.#scheduler.close();
      this.#works.lose(closed);
      await this.#consumer.disconnect();
    }
  }

  #createConsumer(): GroupConsumer {
    const { client, group, observer, groupInstanceId } = this.#options;
    return client.groupConsumer({
      groupId: group.groupId,
      topics: group.topics,
      assignors: group.assignors,
      ...(groupInstanceId === null ? {} : { groupInstanceId }),
      sessionTimeoutMs: group.sessionTimeoutMs,
      heartbeatIntervalMs: group.heartbeatIntervalMs,
      rebalanceTimeoutMs: group.rebalanceTimeoutMs,
      revokeTimeoutMs: Math.min(group.revokeTimeoutMs + AFTER_REVOKE_MS, group.rebalanceTimeoutMs),
      metadataMaxAgeMs: group.metadataMaxAgeMs,
      isolation: group.isolationLevel,
      maxQueueRecords: group.maxQueueRecords,
      maxQueueBytes: group.maxQueueBytes,
      maxPartitionFetchBytes: group.maxPartitionFetchBytes,
      resumeAt: 0.5,
      observer,
      onFetched: (queue) => {
        if (!queue.closed) this.#scheduler.kick();
      },
      onFetchError: (queue, error) => void this.#works.fetchFailed(queue, error),
      onFatal: (error) => this.#options.onFatal(error),
      hooks: {
        onAssigned: (partitions, generation, signal) => this.#assigned(partitions, generation, signal),
        onRevoked: (partitions, signal) => this.#revoked(partitions, signal),
        onLost: (partitions, error) => this.#lost(partitions, error),
      },
    });
  }

  async #assigned(
    partitions: readonly TopicPartition[],
    generation: GroupGeneration,
    signal: AbortSignal,
  ): Promise<void> {
    const fresh = this.#works.renew(partitions, generation);
    const { client, clock, logger, group } = this.#options;
    try {
      const positions = await committedPositions(fresh, { admin: client.admin, clock, logger, ...group }, signal);
      signal.throwIfAborted();
      for (const position of positions) this.#works.begin(position, generation);
      await group.onAssigned?.(partitions, generation);
    } catch (error) {
      // The generation ended while it was being taken up: the hook that follows, and the next one, see to it.
      if (signal.aborted) return;
      if (!isGroupFence(error)) throw error;
      this.#consumer.requestRejoin();
      return;
    }
    if (signal.aborted) return;
    this.#isRunning = true;
    this.#options.onRunning(true);
    this.#scheduler.kick();
  }

  /** The old generation may still commit: handlers finish, and what they completed is committed. The works stay: the next generation may give them back. */
  async #revoked(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    const { group, logger } = this.#options;
    this.#stop();
    await this.#drain(signal);
    try {
      // Also when handlers took all of their time: what others have completed must not be done again.
      const limit = AbortSignal.any([signal, AbortSignal.timeout(AFTER_REVOKE_MS)]);
      if (group.commit !== "manual") await this.#committer.flush(limit);
    } catch (error) {
      // The records come again, here or elsewhere.
      logger.warn({ groupId: group.groupId, err: error }, "what was completed could not be committed on revocation");
    }
    // All of it took too long, and `onLost` has been told in its place.
    if (this.#works.generation === null) return;
    await group.onRevoked?.(partitions);
  }

  async #lost(partitions: readonly TopicPartition[], error: Error): Promise<void> {
    this.#stop();
    this.#works.lose(error);
    await this.#options.group.onLost?.(partitions, error);
  }

  #stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#options.onRunning(false);
  }

  /** Resolves once no handler is outstanding, their time is up, or the signal fires. */
  async #drain(signal: AbortSignal): Promise<void> {
    if (this.#handling.isIdle || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        this.#endDrain = null;
        resolve();
      };
      const timer = setTimeout(end, this.#drainMs);
      signal.addEventListener("abort", end);
      this.#endDrain = end;
    });
  }

  /** Heartbeats go on by themselves: without this, a handler that never settles would hold its partition for ever. */
  #lookForStuck(): void {
    const { group, kind, onFailure } = this.#options;
    for (const delivery of this.#handling.inHand) {
      if (delivery.isUntaken || performance.now() - delivery.sinceMs <= group.maxPollIntervalMs) continue;
      const [record] = kind.recordsOf(delivery.subject);
      if (record === undefined) continue;
      const error = new MaxPollIntervalExceededError(record, group.maxPollIntervalMs);
      // In this order: the slot that the drop frees must not go to a record of a member that is about to leave.
      onFailure(error);
      this.#handling.drop(delivery, error);
    }
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

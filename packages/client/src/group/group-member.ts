import { createStateMachine, notify, type Observer, type TopicPartition } from "@eos/core";
import { brokerError, isConnectionLoss } from "../errors/errors.ts";
import { kafkaErrorClass, kafkaErrorName } from "../errors/kafka-errors.ts";
import {
  GroupCoordinator,
  type GroupCoordinatorOptions,
  REBALANCE_IN_PROGRESS,
  UNKNOWN_MEMBER_ID,
} from "./group-coordinator.ts";
import { GroupLostError } from "./group-errors.ts";
import type { GroupGeneration } from "./group-generation.ts";
import { GROUP_TRANSITIONS, type GroupState } from "./group-state.ts";

/** What the member's owner does around a rebalance. Each is awaited; heartbeats go on meanwhile. */
export interface RebalanceHooks {
  /**
   * The member owns `partitions` in `generation`. `signal` fires when that is over before the hook has returned.
   * `processIds` are the processes that are members of the generation; `null` when they are not known.
   */
  onAssigned(
    partitions: readonly TopicPartition[],
    generation: GroupGeneration,
    signal: AbortSignal,
    processIds: ReadonlySet<string> | null,
  ): Promise<void>;
  /** The member is about to rejoin: finish and commit; the old generation still may. Bounded by `rebalanceTimeoutMs` / 2. */
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>;
  /** The group has gone on without this member: nothing may be committed. */
  onLost(partitions: readonly TopicPartition[], error: Error): Promise<void>;
}

/** The cluster must be the member's own: JoinGroup holds its connection for as long as the rebalance takes. */
export interface GroupMemberOptions extends GroupCoordinatorOptions {
  readonly observer: Observer;
  readonly heartbeatIntervalMs: number;
  readonly hooks: RebalanceHooks;
  /** The member cannot go on (not authorised, fenced instance id, …). */
  readonly onFatal: (error: Error) => void;
}

const BACKOFF_MS = 100;
const CLOSE_WHILE_JOINING_MS = 1_000;

type Interruption = { readonly kind: "rebalance" } | { readonly kind: "lost"; readonly error: Error };

/**
 * One member of a consumer group, eager protocol, with what kafkajs lacks: hooks that are awaited, heartbeats of its
 * own timer, and the generation of every assignment.
 *
 * One cycle: JoinGroup → SyncGroup → `onAssigned` → stable, until a heartbeat says REBALANCE_IN_PROGRESS (`onRevoked`,
 * then rejoin) or that the generation is over (`onLost`, then rejoin).
 */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #machine = createStateMachine<GroupState>({
    name: "group member",
    initial: "unjoined",
    transitions: GROUP_TRANSITIONS,
  });
  readonly #coordinator: GroupCoordinator;
  #generation: GroupGeneration | null = null;
  #partitions: readonly TopicPartition[] = [];
  #interrupt: ((interruption: Interruption) => void) | null = null;
  #running: Promise<void> | null = null;
  #closing = false;
  #stopWaiting = new AbortController();
  #lastHeartbeatMs = 0;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
    this.#coordinator = new GroupCoordinator(options);
  }

  get state(): GroupState {
    return this.#machine.state;
  }

  /** The generation this member is in; `null` between two. */
  get generation(): GroupGeneration | null {
    return this.#generation;
  }

  /** Milliseconds since the coordinator last accepted a heartbeat or a join. */
  sinceLastHeartbeatMs(): number {
    return this.#options.clock.monotonicMs() - this.#lastHeartbeatMs;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Gives the assignment up and joins again, e.g. after a commit that the coordinator refused. */
  requestRejoin(): void {
    this.#interrupt?.({ kind: "lost", error: new GroupLostError("the coordinator refused this member's commit") });
  }

  /**
   * Asks the coordinator whether it still counts this member in, in the current generation: the proof that a fenced
   * producer needs before it may take its id back.
   */
  async confirmMembership(): Promise<boolean> {
    const generation = this.#generation;
    if (generation === null) return false;
    const code = await this.#beat(generation);
    // REBALANCE_IN_PROGRESS is an accepted heartbeat of the current generation as well.
    return generation === this.#generation && (code === 0 || code === REBALANCE_IN_PROGRESS);
  }

  /** Revokes what is assigned (`onRevoked`), leaves the group and stops. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#stopWaiting.abort();
    this.#interrupt?.({ kind: "rebalance" });
    // A JoinGroup in flight holds the connection until the whole group has joined; the session timeout removes this
    // member then, and closing the cluster ends the request.
    const { clock } = this.#options;
    const gaveUp = this.#machine.is("joining") ? clock.sleep(CLOSE_WHILE_JOINING_MS).then(() => "joining") : null;
    if ((await Promise.race([this.#running, ...(gaveUp === null ? [] : [gaveUp])])) === "joining") return;
    if (this.#machine.is("left", "leaving")) return;
    this.#machine.transition("leaving");
    if (this.#coordinator.isMember) await this.#coordinator.leave();
    this.#machine.transition("left");
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      try {
        await this.#cycle();
      } catch (error) {
        if (this.#closing) return;
        if (isConnectionLoss(error)) {
          this.#options.logger.warn(
            { groupId: this.#options.groupId, err: error },
            "joining the group failed, trying again",
          );
          await this.#pause();
          continue;
        }
        this.#machine.transition("failed");
        this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
  }

  async #cycle(): Promise<void> {
    const { clock, hooks, observer, groupId } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#machine.transition("joining");
    const joined = await this.#coordinator.join(this.#stopWaiting.signal);
    if (joined === null) return;
    const { generation, partitions, processIds } = joined;
    this.#machine.transition("assigning");
    this.#generation = generation;
    this.#lastHeartbeatMs = clock.monotonicMs();
    const over = new AbortController();
    const interruption = new Promise<Interruption>((resolve) => {
      this.#interrupt = (reason) => {
        over.abort();
        resolve(reason);
      };
    });
    if (this.#closing) this.#interrupt?.({ kind: "rebalance" });
    const heartbeats = this.#keepBeating(generation, over.signal);
    const previous = this.#partitions;
    this.#partitions = partitions;
    try {
      await hooks.onAssigned(partitions, generation, over.signal, processIds);
      if (!over.signal.aborted) {
        this.#machine.transition("stable");
        notify(observer, "rebalanced", {
          groupId,
          generationId: generation.generationId,
          durationMs: clock.monotonicMs() - startedMs,
          assigned: partitions,
          revoked: previous,
        });
      }
      const reason = await interruption;
      if (reason.kind === "rebalance") await this.#revoke(partitions, generation);
      else await hooks.onLost(partitions, reason.error);
    } catch (error) {
      await hooks.onLost(partitions, error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#generation = null;
      this.#interrupt = null;
      over.abort();
      await heartbeats;
    }
  }

  /** The old generation may still commit while the group waits for this member: heartbeats must go on. */
  async #revoke(partitions: readonly TopicPartition[], generation: GroupGeneration): Promise<void> {
    const { hooks, logger, groupId, rebalanceTimeoutMs } = this.#options;
    const done = new AbortController();
    const heartbeats = this.#keepBeating(generation, done.signal);
    const limit = AbortSignal.timeout(Math.ceil(rebalanceTimeoutMs / 2));
    const expired = new Promise<"expired">((resolve) =>
      limit.addEventListener("abort", () => resolve("expired"), { once: true }),
    );
    try {
      const outcome = await Promise.race([hooks.onRevoked(partitions), expired]);
      if (outcome === "expired") {
        logger.error({ groupId, rebalanceTimeoutMs }, "onRevoked did not return in time; the partitions are given up");
        await hooks.onLost(
          partitions,
          new GroupLostError("onRevoked did not return within half the rebalance timeout"),
        );
      }
    } finally {
      done.abort();
      await heartbeats;
    }
  }

  async #keepBeating(generation: GroupGeneration, until: AbortSignal): Promise<void> {
    const { clock, heartbeatIntervalMs, sessionTimeoutMs } = this.#options;
    while (!until.aborted) {
      await clock.sleep(heartbeatIntervalMs, until).catch(() => undefined);
      if (until.aborted) return;
      const code = await this.#beat(generation);
      if (until.aborted) return;
      if (code === null) {
        if (this.sinceLastHeartbeatMs() > sessionTimeoutMs) {
          this.#interrupt?.({
            kind: "lost",
            error: new GroupLostError(`no heartbeat was accepted for ${sessionTimeoutMs} ms, the session timeout`),
          });
        }
      } else if (code === REBALANCE_IN_PROGRESS) {
        this.#interrupt?.({ kind: "rebalance" });
      } else if (code === FENCED_INSTANCE_ID || kafkaErrorClass(code) === "fatal") {
        this.#options.onFatal(brokerError({ api: "Heartbeat", kafkaCode: code, groupId: generation.groupId }));
        return;
      } else if (code !== 0) {
        if (code === UNKNOWN_MEMBER_ID) this.#coordinator.forgetMember();
        this.#interrupt?.({ kind: "lost", error: new GroupLostError(`Heartbeat answered ${kafkaErrorName(code)}`) });
      }
    }
  }

  /** The coordinator's answer, 0 and REBALANCE_IN_PROGRESS being good ones; `null` when there was none. */
  async #beat(generation: GroupGeneration): Promise<number | null> {
    const code = await this.#coordinator.heartbeat(generation);
    if (code === 0 || code === REBALANCE_IN_PROGRESS) this.#lastHeartbeatMs = this.#options.clock.monotonicMs();
    return code;
  }

  async #pause(): Promise<void> {
    await this.#options.clock.sleep(BACKOFF_MS, this.#stopWaiting.signal).catch(() => undefined);
  }
}

const FENCED_INSTANCE_ID = 82;

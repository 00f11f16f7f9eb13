import { createStateMachine, type Logger, notify, type Observer, type TopicPartition } from "@eos/core";
import { isConnectionLoss } from "../errors/errors.ts";
import { GroupCoordinator, type GroupCoordinatorOptions, type JoinedGroup } from "./group-coordinator.ts";
import { GroupLostError } from "./group-errors.ts";
import type { GroupGeneration } from "./group-generation.ts";
import { GROUP_TRANSITIONS, type GroupState } from "./group-state.ts";
import { Heartbeats, type Interruption } from "./heartbeats.ts";
import { SubscribedTopics, type SubscriptionSnapshot } from "./subscribed-topics.ts";

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
  /**
   * The member is about to rejoin: finish and commit; the old generation still may. `signal` fires when it may not any
   * longer, or when `revokeTimeoutMs` have passed; a hook that has not returned by then is followed by `onLost`.
   */
  onRevoked(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>;
  /** The group has gone on without this member: nothing may be committed. */
  onLost(partitions: readonly TopicPartition[], error: Error): Promise<void>;
}

/** The cluster must be the member's own: JoinGroup holds its connection for as long as the rebalance takes. */
export interface GroupMemberOptions extends GroupCoordinatorOptions {
  readonly topics: readonly string[] | RegExp;
  readonly observer: Observer;
  readonly heartbeatIntervalMs: number;
  readonly revokeTimeoutMs: number;
  /** How old the member's view of the topics may get before it looks again. */
  readonly metadataMaxAgeMs: number;
  readonly hooks: RebalanceHooks;
  /** The member cannot go on (not authorised, fenced instance id, …). */
  readonly onFatal: (error: Error) => void;
}

/** Why the owner wants to join again: it lost track of the generation, or it wants the group assigned anew. */
export type RejoinReason = "lost" | "rebalance";

const BACKOFF_MS = 100;
const CLOSE_WHILE_JOINING_MS = 1_000;
/** Beyond `revokeTimeoutMs`, for the hooks that nothing bounds. */
const CLOSE_MARGIN_MS = 1_000;
const LEAVE_TIMEOUT_MS = 1_000;

/**
 * One member of a consumer group, eager protocol, with what kafkajs lacks: hooks that are awaited, heartbeats of its
 * own timer, and the generation of every assignment.
 *
 * One cycle: JoinGroup → SyncGroup → `onAssigned` → stable, until a heartbeat says REBALANCE_IN_PROGRESS or the topics
 * have changed (`onRevoked`, then rejoin), or that the generation is over (`onLost`, then rejoin).
 */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #logger: Logger;
  readonly #machine = createStateMachine<GroupState>({
    name: "group member",
    initial: "unjoined",
    transitions: GROUP_TRANSITIONS,
  });
  readonly #topics: SubscribedTopics;
  readonly #coordinator: GroupCoordinator;
  readonly #heartbeats: Heartbeats;
  #generation: GroupGeneration | null = null;
  #partitions: readonly TopicPartition[] = [];
  #interrupt: ((interruption: Interruption) => void) | null = null;
  #running: Promise<void> | null = null;
  #ending: Promise<void> | null = null;
  #stop = new AbortController();

  constructor(options: GroupMemberOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#topics = new SubscribedTopics(options);
    this.#coordinator = new GroupCoordinator(options, this.#topics);
    this.#heartbeats = new Heartbeats({ ...options, coordinator: this.#coordinator });
  }

  get state(): GroupState {
    return this.#machine.state;
  }

  /** Empty while the coordinator has given none. */
  get memberId(): string {
    return this.#coordinator.memberId;
  }

  /** The generation this member is in; `null` between two. */
  get generation(): GroupGeneration | null {
    return this.#generation;
  }

  /** What the member holds in its generation; nothing between two. */
  get partitions(): readonly TopicPartition[] {
    return this.#generation === null ? [] : this.#partitions;
  }

  /** Milliseconds since the coordinator last accepted a heartbeat or a join. */
  sinceLastHeartbeatMs(): number {
    return this.#heartbeats.sinceAcceptedMs();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Joins again: `'lost'` gives the assignment up first, as after a commit that the coordinator refused; `'rebalance'`
   * revokes it, so that it is committed. Does nothing between two generations.
   */
  requestRejoin(reason: RejoinReason): void {
    if (reason === "rebalance") this.#interrupt?.({ kind: "rebalance" });
    else this.#interrupt?.({ kind: "lost", error: new GroupLostError("the coordinator refused this member's commit") });
  }

  /**
   * Asks the coordinator whether it still counts this member in, in the current generation: the proof that a fenced
   * producer needs before it may take its id back.
   */
  async confirmMembership(): Promise<boolean> {
    const generation = this.#generation;
    if (generation === null) return false;
    return (await this.#heartbeats.confirm(generation)) && generation === this.#generation;
  }

  /**
   * Revokes what is assigned (`onRevoked`) and stops. Returns within `revokeTimeoutMs` and 2 seconds, whatever the broker
   * and the hooks do.
   *
   * @param leaveGroup - without it the group keeps the member's partitions until its session times out
   */
  close(leaveGroup: boolean): Promise<void> {
    this.#ending ??= this.#close(leaveGroup);
    return this.#ending;
  }

  /** Ends without a word to the group: its connections are closed. What was assigned is lost. */
  abandon(error: Error): void {
    this.#stop.abort();
    this.#heartbeats.stop();
    this.#interrupt?.({ kind: "lost", error });
  }

  async #close(leaveGroup: boolean): Promise<void> {
    const { revokeTimeoutMs, groupId } = this.#options;
    this.#stop.abort();
    this.#interrupt?.({ kind: "rebalance" });
    // A JoinGroup in flight holds the connection until the whole group has joined, which waits for this member's
    // departure in turn: LeaveGroup passes it by, and ends it.
    const isJoining = this.#machine.is("joining");
    const leaving = isJoining ? this.#leave(leaveGroup, "leave") : null;
    const limitMs = isJoining ? CLOSE_WHILE_JOINING_MS : revokeTimeoutMs + CLOSE_MARGIN_MS;
    const hasEnded = await endsWithin(limitMs, this.#running);
    await leaving;
    if (!hasEnded) {
      this.#logger.warn({ groupId, state: this.#machine.state }, "the member is left behind: it did not end in time");
    }
    // A hook that does not return must not keep the session alive.
    this.#heartbeats.stop();
    this.#machine.transition("leaving");
    await this.#leave(leaveGroup, "default");
    this.#machine.transition("left");
  }

  async #leave(leaveGroup: boolean, lane: "default" | "leave"): Promise<void> {
    if (!leaveGroup || this.#coordinator.memberId === "") return;
    await endsWithin(LEAVE_TIMEOUT_MS, this.#coordinator.leave(lane));
    this.#coordinator.forgetMember();
  }

  async #run(): Promise<void> {
    const { groupId, onFatal } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#cycle();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (isConnectionLoss(error)) {
          this.#logger.warn({ groupId, err: error }, "joining the group failed, trying again");
          await this.#options.clock.sleep(BACKOFF_MS, this.#stop.signal).catch(() => undefined);
          continue;
        }
        this.#machine.transition("failed");
        onFatal(asError(error));
        return;
      }
    }
  }

  async #cycle(): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#machine.transition("joining");
    const joined = await this.#coordinator.join(this.#stop.signal);
    if (joined === null || this.#stop.signal.aborted) return;
    this.#machine.transition("assigning");
    this.#heartbeats.accepted();
    this.#generation = joined.generation;
    try {
      const end = await this.#hold(joined, startedMs);
      if (end.kind === "rebalance") await this.#revoke(joined);
      else await this.#options.hooks.onLost(joined.partitions, end.error);
      if (end.kind === "fatal") throw end.error;
    } finally {
      this.#generation = null;
    }
  }

  /** From the assignment until something ends it. */
  async #hold(
    { generation, partitions, processIds, subscription }: JoinedGroup,
    startedMs: number,
  ): Promise<Interruption> {
    const { clock, hooks, observer, groupId } = this.#options;
    const previous = this.#partitions;
    this.#partitions = partitions;
    const over = new AbortController();
    const interruption = new Promise<Interruption>((resolve) => {
      this.#interrupt = (reason) => {
        over.abort();
        resolve(reason);
      };
    });
    const interrupt = (reason: Interruption): void => this.#interrupt?.(reason);
    const look = this.#lookout(subscription, over.signal);
    const beating = this.#heartbeats.run(generation, over.signal, interrupt, look);
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
      return await interruption;
    } catch (error) {
      return { kind: "fatal", error: asError(error) };
    } finally {
      this.#interrupt = null;
      over.abort();
      await beating;
    }
  }

  /** The old generation may still commit while the group waits for this member: heartbeats must go on. */
  async #revoke({ generation, partitions }: JoinedGroup): Promise<void> {
    const { hooks, groupId, revokeTimeoutMs } = this.#options;
    const done = new AbortController();
    const lost = new AbortController();
    const ends: Interruption[] = [];
    const beating = this.#heartbeats.run(generation, done.signal, (reason) => {
      if (reason.kind === "rebalance") return;
      ends.push(reason);
      lost.abort(reason.error);
    });
    const limit = AbortSignal.timeout(revokeTimeoutMs);
    const expired = new Promise<"expired">((resolve) =>
      limit.addEventListener("abort", () => resolve("expired"), { once: true }),
    );
    try {
      const signal = AbortSignal.any([limit, lost.signal]);
      const outcome = await Promise.race([hooks.onRevoked(partitions, signal), expired]);
      if (outcome === "expired") {
        this.#logger.error(
          { groupId, revokeTimeoutMs },
          "onRevoked did not return in time; the partitions are given up",
        );
        const what = `onRevoked did not return within ${revokeTimeoutMs} ms, the revoke timeout`;
        await hooks.onLost(partitions, new GroupLostError(what));
      }
    } catch (error) {
      await hooks.onLost(partitions, asError(error));
      throw error;
    } finally {
      done.abort();
      await beating;
    }
    for (const end of ends) if (end.kind === "fatal") throw end.error;
  }

  /** Looks at the topics again when the last look is `metadataMaxAgeMs` old; runs at every heartbeat. */
  #lookout(subscription: SubscriptionSnapshot, over: AbortSignal): () => void {
    const { clock, metadataMaxAgeMs, groupId } = this.#options;
    let lookedMs = clock.monotonicMs();
    let isLooking = false;
    const look = async (): Promise<void> => {
      try {
        if (!(await this.#topics.haveChanged(subscription)) || over.aborted) return;
        this.#logger.info({ groupId }, "the subscribed topics have changed: rejoining");
        this.#interrupt?.({ kind: "rebalance" });
      } catch (error) {
        this.#logger.debug({ groupId, err: error }, "looking at the subscribed topics failed");
      } finally {
        isLooking = false;
      }
    };
    return () => {
      if (isLooking || clock.monotonicMs() - lookedMs < metadataMaxAgeMs) return;
      lookedMs = clock.monotonicMs();
      isLooking = true;
      void look();
    };
  }
}

async function endsWithin(ms: number, work: Promise<void> | null): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([Promise.resolve(work).then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

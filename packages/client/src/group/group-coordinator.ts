import type { Clock, Logger, TopicPartition } from "@eos/core";
import { brokerError, isConnectionLoss } from "../errors/errors.ts";
import { kafkaErrorClass } from "../errors/kafka-errors.ts";
import type { Lane } from "../network/broker-connections.ts";
import type { Cluster } from "../network/cluster.ts";
import { heartbeat } from "../protocol/heartbeat.ts";
import { type JoinedMember, joinGroup, type JoinGroupResponse } from "../protocol/join-group.ts";
import { leaveGroup } from "../protocol/leave-group.ts";
import { syncGroup } from "../protocol/sync-group.ts";
import type { Assignor, MemberSubscription } from "./assignor.ts";
import {
  decodeAssignment,
  decodeAssignmentUserData,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  partitionsOf,
} from "./consumer-protocol.ts";
import type { GroupGeneration } from "./group-generation.ts";
import { decodeProcessId, decodeProcessIds, encodeProcessId, encodeProcessIds } from "./process-ids.ts";
import type { SubscribedTopics, SubscriptionSnapshot } from "./subscribed-topics.ts";

export interface GroupCoordinatorOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
  /** Makes the member a static one (KIP-345); `null`: it is dynamic. */
  readonly groupInstanceId: string | null;
  /** In order of preference; the coordinator picks one that all members know. */
  readonly assignors: readonly Assignor[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Tells the group which process this member is, where the assignor has no user data of its own. */
  readonly processId?: string | undefined;
}

/** A generation that has begun, and what the member was given in it. */
export interface JoinedGroup {
  readonly generation: GroupGeneration;
  readonly partitions: TopicPartition[];
  /** The processes that are members of it; `null` when they are not told. */
  readonly processIds: ReadonlySet<string> | null;
  /** What the assignment was made for. */
  readonly subscription: SubscriptionSnapshot;
}

/** The leader's work, and what it was made from. */
interface GroupAssignment {
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
  readonly watch: Pick<SubscriptionSnapshot, "watched" | "partitionCounts">;
}

const PROTOCOL_TYPE = "consumer";
const RETRY_MS = 100;

const UNKNOWN_MEMBER_ID = 25;
const MEMBER_ID_REQUIRED = 79;

/** One member's requests to the coordinator of its group. Knows the member id and the last assignment, and no more of the member's state. */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #topics: SubscribedTopics;
  #memberId = "";
  /**
   * What the next subscription says is owned. Kept when the generation is lost: claims carry their generation, and
   * after an outage all members find their partitions again.
   */
  #owned: readonly TopicPartition[] = [];
  #ownedIn = -1;

  constructor(options: GroupCoordinatorOptions, topics: SubscribedTopics) {
    this.#options = options;
    this.#topics = topics;
  }

  /** Empty while the coordinator has given none. */
  get memberId(): string {
    return this.#memberId;
  }

  /** The coordinator does not know the member any more: it joins as a new one. */
  forgetMember(): void {
    this.#memberId = "";
  }

  /**
   * JoinGroup and SyncGroup; as the leader, assigns in between.
   * @returns `null` when that has to start over (a member id was given, the group is rebalancing, the coordinator moved)
   * @throws BrokerError when the group refuses this member, FencedInstanceIdError among them; ConnectionError
   */
  async join(signal: AbortSignal): Promise<JoinedGroup | null> {
    const { cluster, groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const subscription = await this.#subscribe();
    const coordinator = await cluster.coordinator("group", groupId);
    const joined = await cluster.send(
      coordinator,
      joinGroup({
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocols: this.#protocols(subscription.topics),
      }),
    );
    if (joined.errorCode !== 0) {
      // KIP-394: the coordinator names the member before it counts it in.
      if (joined.errorCode === MEMBER_ID_REQUIRED) this.#memberId = joined.memberId;
      else await this.#startOver(joined.errorCode, "JoinGroup", signal);
      return null;
    }
    const { generationId, memberId, protocolName } = joined;
    this.#memberId = memberId;
    const led = memberId === joined.leader ? await this.#assign(joined) : null;
    const synced = await cluster.send(
      coordinator,
      syncGroup({
        groupId,
        generationId,
        memberId,
        groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocolName: protocolName ?? "",
        assignments: led?.assignments ?? [],
        rebalanceTimeoutMs,
      }),
    );
    if (synced.errorCode !== 0) {
      await this.#startOver(synced.errorCode, "SyncGroup", signal);
      return null;
    }
    const partitions = partitionsOf(decodeAssignment(synced.assignment));
    this.#owned = partitions;
    this.#ownedIn = generationId;
    return {
      generation: { groupId, generationId, memberId, groupInstanceId },
      partitions,
      processIds: decodeProcessIds(decodeAssignmentUserData(synced.assignment)),
      subscription: { ...subscription, ...led?.watch },
    };
  }

  /** @returns the coordinator's error code; `null` when it could not be asked, or was the wrong one. */
  async heartbeat(generation: GroupGeneration): Promise<number | null> {
    const { cluster, groupId, logger } = this.#options;
    try {
      const { errorCode } = await cluster.send(await cluster.coordinator("group", groupId), heartbeat(generation));
      if (kafkaErrorClass(errorCode) !== "refind-coordinator") return errorCode;
    } catch (error) {
      if (!isConnectionLoss(error)) logger.debug({ groupId, err: error }, "heartbeat failed");
    }
    cluster.forgetCoordinator("group", groupId);
    return null;
  }

  /** A heartbeat is overdue: the coordinator's node may be gone without having closed its connections. */
  suspectCoordinator(): void {
    this.#options.cluster.suspectCoordinator("group", this.#options.groupId);
  }

  /** Its answer matters to nobody: when it does not come, the session timeout removes the member. */
  async leave(lane: Lane): Promise<void> {
    const { cluster, groupId, groupInstanceId, logger } = this.#options;
    try {
      await cluster.send(
        await cluster.coordinator("group", groupId),
        leaveGroup({ groupId, members: [{ memberId: this.#memberId, groupInstanceId }] }),
        lane,
      );
    } catch (error) {
      logger.debug({ groupId, err: error }, "leaving the group failed");
    }
  }

  /**
   * The leader watches the partitions of all topics of the group. A static member watches those of its own too: a leader
   * that restarts is the leader still and is not told so (before JoinGroup v9, KIP-814), and else nobody would watch.
   */
  async #subscribe(): Promise<SubscriptionSnapshot> {
    const topics = await this.#topics.names();
    if (this.#options.groupInstanceId === null) return { topics, watched: [], partitionCounts: new Map() };
    return { topics, watched: topics, partitionCounts: await this.#topics.partitionCounts(topics) };
  }

  #protocols(topics: readonly string[]): { name: string; metadata: Buffer }[] {
    const { assignors, processId } = this.#options;
    const ownedPartitions = this.#owned;
    const generationId = this.#ownedIn;
    const process = processId === undefined ? null : encodeProcessId(processId);
    return assignors.map((assignor) => {
      const userData = assignor.userData === undefined ? process : assignor.userData(ownedPartitions, generationId);
      return { name: assignor.name, metadata: encodeSubscription({ topics, userData, ownedPartitions, generationId }) };
    });
  }

  async #assign({ members, protocolName }: JoinGroupResponse): Promise<GroupAssignment> {
    const assignor = this.#options.assignors.find(({ name }) => name === protocolName);
    if (assignor === undefined) throw new TypeError(`the coordinator chose '${protocolName}', which was not offered`);
    const subscriptions = members.map(memberSubscription);
    const topics = [...new Set(subscriptions.flatMap((member) => member.topics))].sort();
    const partitionCounts = await this.#topics.partitionCounts(topics);
    const assigned = assignor.assign(subscriptions, partitionCounts);
    const processIds = subscriptions.map(({ userData }) => decodeProcessId(userData)).filter((id) => id !== null);
    const userData = processIds.length === 0 ? null : encodeProcessIds(processIds);
    return {
      assignments: [...assigned].map(([memberId, assignment]) => ({
        memberId,
        assignment: encodeAssignment(assignment, userData),
      })),
      watch: { watched: topics, partitionCounts },
    };
  }

  async #startOver(code: number, api: string, signal: AbortSignal): Promise<void> {
    const { cluster, clock, groupId } = this.#options;
    switch (kafkaErrorClass(code)) {
      case "rejoin":
        if (code === UNKNOWN_MEMBER_ID) this.forgetMember();
        return;
      case "refind-coordinator":
      case "retry-in-place":
      case "refresh-metadata":
      case "wait":
        cluster.forgetCoordinator("group", groupId);
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
        return;
      default:
        throw brokerError({ api, kafkaCode: code, groupId });
    }
  }
}

function memberSubscription({ memberId, groupInstanceId, metadata }: JoinedMember): MemberSubscription {
  return { memberId, groupInstanceId, ...decodeSubscription(metadata) };
}

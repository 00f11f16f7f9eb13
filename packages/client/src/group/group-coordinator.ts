import type { Clock, Logger, TopicPartition } from "@eos/core";
import { brokerError, isConnectionLoss } from "../errors/errors.ts";
import { kafkaErrorClass } from "../errors/kafka-errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { heartbeat } from "../protocol/heartbeat.ts";
import { joinGroup } from "../protocol/join-group.ts";
import { leaveGroup } from "../protocol/leave-group.ts";
import { syncGroup } from "../protocol/sync-group.ts";
import {
  type Assignment,
  decodeAssignment,
  decodeAssignmentUserData,
  decodeSubscription,
  decodeSubscriptionUserData,
  encodeAssignment,
  encodeSubscription,
} from "./consumer-protocol.ts";
import type { GroupGeneration } from "./group-generation.ts";
import { decodeProcessId, decodeProcessIds, encodeProcessId, encodeProcessIds } from "./process-ids.ts";
import type { Assignor } from "./range-assignor.ts";

export interface GroupCoordinatorOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly assignor: Assignor;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Tells the group which process this member is. */
  readonly processId?: string | undefined;
}

/** A generation that has begun, and what the member was given in it. */
export interface JoinedGroup {
  readonly generation: GroupGeneration;
  readonly partitions: TopicPartition[];
  /** The processes that are members of it; `null` when they are not told. */
  readonly processIds: ReadonlySet<string> | null;
}

const PROTOCOL_TYPE = "consumer";
const RETRY_MS = 100;

export const UNKNOWN_MEMBER_ID = 25;
export const REBALANCE_IN_PROGRESS = 27;
const MEMBER_ID_REQUIRED = 79;

/** One member's requests to the coordinator of its group. Knows the member id, and no more of the member's state. */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  #memberId = "";

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
  }

  get isMember(): boolean {
    return this.#memberId !== "";
  }

  /** The coordinator does not know the member any more: it joins as a new one. */
  forgetMember(): void {
    this.#memberId = "";
  }

  /**
   * JoinGroup and SyncGroup; as the leader, assigns in between.
   * @returns `null` when that has to start over (a member id was given, the group is rebalancing, the coordinator moved)
   * @throws BrokerError when the group refuses this member; ConnectionError
   */
  async join(signal: AbortSignal): Promise<JoinedGroup | null> {
    const { cluster, groupId, topics, assignor, sessionTimeoutMs, rebalanceTimeoutMs, processId } = this.#options;
    const userData = processId === undefined ? null : encodeProcessId(processId);
    const coordinator = await cluster.coordinator("group", groupId);
    const joined = await cluster.send(
      coordinator,
      joinGroup({
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId: null,
        protocolType: PROTOCOL_TYPE,
        protocols: [{ name: assignor.name, metadata: encodeSubscription(topics, userData) }],
      }),
    );
    if (joined.errorCode !== 0) {
      // KIP-394: the coordinator names the member before it counts it in.
      if (joined.errorCode === MEMBER_ID_REQUIRED) this.#memberId = joined.memberId;
      else await this.#startOver(joined.errorCode, "JoinGroup", signal);
      return null;
    }
    const { generationId, memberId } = joined;
    this.#memberId = memberId;
    const synced = await cluster.send(
      coordinator,
      syncGroup({
        groupId,
        generationId,
        memberId,
        groupInstanceId: null,
        protocolType: PROTOCOL_TYPE,
        protocolName: assignor.name,
        assignments: memberId === joined.leader ? await this.#assign(joined.members) : [],
        rebalanceTimeoutMs,
      }),
    );
    if (synced.errorCode !== 0) {
      await this.#startOver(synced.errorCode, "SyncGroup", signal);
      return null;
    }
    const partitions: TopicPartition[] = [];
    for (const [topic, ids] of decodeAssignment(synced.assignment)) {
      for (const partition of ids) partitions.push({ topic, partition });
    }
    return {
      generation: { groupId, generationId, memberId, groupInstanceId: null },
      partitions,
      processIds: decodeProcessIds(decodeAssignmentUserData(synced.assignment)),
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

  async leave(): Promise<void> {
    const { cluster, groupId, logger } = this.#options;
    try {
      await cluster.send(
        await cluster.coordinator("group", groupId),
        leaveGroup({ groupId, members: [{ memberId: this.#memberId, groupInstanceId: null }] }),
      );
    } catch (error) {
      // The session timeout will do it.
      logger.debug({ groupId, err: error }, "leaving the group failed");
    }
  }

  async #assign(
    members: readonly { readonly memberId: string; readonly metadata: Buffer }[],
  ): Promise<{ memberId: string; assignment: Buffer }[]> {
    const { cluster, assignor, logger } = this.#options;
    const subscriptions = new Map(members.map((member) => [member.memberId, decodeSubscription(member.metadata)]));
    const topics = [...new Set([...subscriptions.values()].flat())].sort();
    const partitionCounts = new Map<string, number>();
    for (const topic of topics) {
      try {
        partitionCounts.set(topic, (await cluster.topic(topic)).partitions.length);
      } catch (error) {
        if (isConnectionLoss(error)) throw error;
        logger.warn({ topic, err: error }, "a subscribed topic has no metadata and is left out of the assignment");
      }
    }
    const assigned: Map<string, Assignment> = assignor.assign(subscriptions, partitionCounts);
    const processIds = members.map(({ metadata }) => decodeProcessId(decodeSubscriptionUserData(metadata)));
    const known = processIds.filter((processId) => processId !== null);
    const userData = known.length === 0 ? null : encodeProcessIds(known);
    return [...assigned].map(([memberId, assignment]) => ({
      memberId,
      assignment: encodeAssignment(assignment, userData),
    }));
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

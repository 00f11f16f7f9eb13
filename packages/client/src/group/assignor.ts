import type { TopicPartition } from "@eos/core";
import type { Assignment } from "./consumer-protocol.ts";

/** One member of the group, as the leader sees it when it assigns. */
export interface MemberSubscription {
  readonly memberId: string;
  /** Of a static member (KIP-345); `null` for a dynamic one. */
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
  /** What it was assigned last, in `generationId`. A claim of an older generation may be outdated by a newer one. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** Generation of `ownedPartitions`; −1: not said. */
  readonly generationId: number;
  /** What the member's {@link Assignor.userData} made. */
  readonly userData: Buffer | null;
}

/**
 * Decides who gets which partitions; runs on the member that the coordinator made the leader. Must not depend on the
 * order of the members: see {@link compareMembers}.
 */
export interface Assignor {
  /** Protocol name on the wire: the group agrees on one that all members offer. */
  readonly name: string;
  /**
   * Rides in JoinGroup beside the subscription: what this assignor wants to know of a member.
   *
   * @param owned - what the member was assigned last
   * @param generationId - the generation of that; −1 before the first
   */
  userData?(owned: readonly TopicPartition[], generationId: number): Buffer | null;
  /**
   * @param partitionCounts - partitions by topic; topics that do not exist are missing
   * @returns what each member gets, by member id. An error thrown here is fatal to the leader.
   */
  assign(
    members: readonly MemberSubscription[],
    partitionCounts: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, Assignment>;
}

/**
 * The order of Java's `AbstractPartitionAssignor.MemberInfo`: static members first, by instance id, so that a restart
 * under a new member id changes nothing; then the dynamic ones by member id.
 */
export function compareMembers(
  a: Pick<MemberSubscription, "memberId" | "groupInstanceId">,
  b: Pick<MemberSubscription, "memberId" | "groupInstanceId">,
): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compare(a.groupInstanceId, b.groupInstanceId);
  if (a.groupInstanceId !== null) return -1;
  if (b.groupInstanceId !== null) return 1;
  return compare(a.memberId, b.memberId);
}

/** By UTF-16 code units, as Java's `String.compareTo`. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

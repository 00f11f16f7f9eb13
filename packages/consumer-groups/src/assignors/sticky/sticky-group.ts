import type { MemberSubscription } from "@eos/client";
import { javaHashOrder } from "../java-hash-order.ts";
import { compareText } from "../text-order.ts";
import { PartitionIndex } from "../partition-index.ts";
import { decodePreviousAssignment, type PreviousAssignment } from "./user-data.ts";

/** A member as the sticky assignor sees it. */
export interface StickyMember {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  readonly previous: PreviousAssignment;
  /** What the subscription says beside the user data. */
  readonly generationId: number;
}

/** A group that is to be assigned. Members and partitions are integers from here on: a member is its index. */
export interface StickyGroup {
  /** By member id: Java's sticky assignor does not look at instance ids. */
  readonly members: readonly StickyMember[];
  /** The members in the order of Java's `HashMap`, which decides where two have the same right. */
  readonly precedence: readonly number[];
  readonly partitions: PartitionIndex;
}

export const NOBODY = -1;

export function stickyGroup(
  subscriptions: readonly MemberSubscription[],
  partitionCounts: ReadonlyMap<string, number>,
): StickyGroup {
  const members = subscriptions
    .map(({ memberId, topics, userData, generationId }) => ({
      memberId,
      topics: new Set(topics),
      previous: decodePreviousAssignment(userData),
      generationId,
    }))
    .sort((a, b) => compareText(a.memberId, b.memberId));
  return {
    members,
    precedence: javaHashOrder(members.map(({ memberId }) => memberId)),
    partitions: new PartitionIndex(
      members.flatMap(({ topics }) => [...topics]),
      partitionCounts,
    ),
  };
}

export function areSubscriptionsEqual({ members: [first, ...others] }: StickyGroup): boolean {
  return others.every(
    ({ topics }) => topics.size === first?.topics.size && [...topics].every((topic) => first.topics.has(topic)),
  );
}

import { type Assignment, type Assignor, compareMembers, type MemberSubscription } from "@eos/client";
import { CoPartitioningError } from "./co-partitioning-error.ts";
import { PartitionIndex } from "./partition-index.ts";
import { assignEqualSubscriptions } from "./sticky/equal-subscriptions.ts";
import { compareText } from "./text-order.ts";

/**
 * For joins: partition p of every topic goes to the same member, and no member has two such partitions more than
 * another. Members keep what they have as far as that allows; of several claims the one of the newest generation
 * counts. Only our own members know this assignor.
 *
 * `assign` throws a {@link CoPartitioningError} when the topics that exist have different partition counts, or the
 * members subscribe to different topics.
 */
export const coPartitionedAssignor: Assignor = {
  name: "eos-copartitioned",
  assign(subscriptions, partitionCounts) {
    const members = subscriptions.toSorted(compareMembers);
    const topics = [...new Set(members.flatMap((member) => member.topics))].sort(compareText);
    const existing = topics.filter((topic) => partitionCounts.has(topic));
    checkCoPartitioning(
      members,
      topics,
      new Map(existing.map((topic) => [topic, partitionCounts.get(topic) as number])),
    );

    // All topics are alike: what is decided for the first one holds for every other.
    const partitions = new PartitionIndex(existing.slice(0, 1), partitionCounts);
    const owners = assignEqualSubscriptions(
      { members, precedence: [...members.keys()], partitions },
      { owners: newestClaims(members, existing, partitions.size), contested: new Set() },
    );
    return new Map(
      members.map(({ memberId }, member): [string, Assignment] => {
        const owned = [...owners.keys()].filter((partition) => owners[partition] === member);
        return [memberId, new Map(owned.length === 0 ? [] : existing.map((topic) => [topic, owned]))];
      }),
    );
  },
};

function checkCoPartitioning(
  members: readonly MemberSubscription[],
  topics: readonly string[],
  partitionCounts: ReadonlyMap<string, number>,
): void {
  if (new Set(partitionCounts.values()).size > 1) throw new CoPartitioningError(partitionCounts);
  for (const member of members) {
    const missing = topics.filter((topic) => !member.topics.includes(topic));
    if (missing.length > 0) {
      throw new CoPartitioningError(
        partitionCounts,
        `member ${member.memberId} does not subscribe to ${missing.join(", ")}`,
      );
    }
  }
}

/** By partition, the member that had it in the newest generation; −1 where nobody had it. */
function newestClaims(
  members: readonly MemberSubscription[],
  topics: readonly string[],
  partitionCount: number,
): number[] {
  const owners = Array.from({ length: partitionCount }, () => -1);
  for (const [member, { ownedPartitions, generationId }] of members.entries()) {
    for (const { topic, partition } of ownedPartitions) {
      if (partition >= partitionCount || !topics.includes(topic)) continue;
      const rival = members[owners[partition] as number];
      if (rival === undefined || generationId > rival.generationId) owners[partition] = member;
    }
  }
  return owners;
}

import { NOBODY, type StickyGroup } from "./sticky-group.ts";

/** Who had what before. */
export interface Claims {
  /** By partition: the member whose claim to it is the best, or `NOBODY`. */
  readonly owners: readonly number[];
  /** Partitions that two members say they were given in the same generation: at least one of them is wrong. */
  readonly contested: ReadonlySet<number>;
}

/** Java's `AbstractStickyAssignor.allSubscriptionsEqual`, the part about ownership. */
export function resolveClaims({ members, precedence, partitions }: StickyGroup): Claims {
  const owners = Array.from({ length: partitions.size }, () => NOBODY);
  const lastClaimants = owners.slice();
  const contested = new Set<number>();
  for (const member of precedence) {
    const { previous } = members[member] as StickyGroup["members"][number];
    for (const { topic, partition } of previous.partitions) {
      const id = partitions.find(topic, partition);
      // Java keeps a claim to a partition that is gone (the topic was made anew, smaller), and then assigns it.
      if (id === undefined) continue;
      // Java compares with what the rival's subscription says, not with its user data: after a member was expelled
      // the two differ, and the leader has to judge as Java's would.
      const rivalGeneration = members[lastClaimants[id] as number]?.generationId;
      if (rivalGeneration === undefined || previous.generationId > rivalGeneration) {
        owners[id] = member;
      } else if (previous.generationId === rivalGeneration) {
        owners[id] = NOBODY;
        contested.add(id);
      } else {
        continue;
      }
      lastClaimants[id] = member;
    }
  }
  return { owners, contested };
}

/**
 * By partition, who had it in the newest generation but the current one: a partition that has to move anyway goes
 * back there. Java's `prepopulateCurrentAssignments`.
 */
export function staleOwners({ members, precedence, partitions }: StickyGroup): Map<number, number> {
  const newest = Math.max(...members.map(({ previous }) => previous.generationId));
  const stale = new Map<number, number>();
  for (const member of precedence) {
    const { previous, topics } = members[member] as StickyGroup["members"][number];
    if (previous.generationId === newest) continue;
    for (const { topic, partition } of previous.partitions) {
      const id = partitions.find(topic, partition);
      // Java would give the partition back to a member that does not subscribe to it any more.
      if (id === undefined || !topics.has(topic)) continue;
      const known = members[stale.get(id) ?? NOBODY];
      if (known === undefined || previous.generationId > known.previous.generationId) stale.set(id, member);
    }
  }
  return stale;
}

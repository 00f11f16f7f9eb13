import type { Assignment } from "./consumer-protocol.ts";

/** Decides who gets which partitions; runs on the member that the coordinator made the leader. */
export interface Assignor {
  /** Protocol name: members agree on one that all of them know. */
  readonly name: string;
  /**
   * @param members topics by member id
   * @param partitionCounts partitions by topic; topics that do not exist are missing
   */
  assign(
    members: ReadonlyMap<string, readonly string[]>,
    partitionCounts: ReadonlyMap<string, number>,
  ): Map<string, Assignment>;
}

/**
 * Java's `RangeAssignor`: per topic, members sorted by id; each gets a run of partitions, the first ones one more.
 * Partition p of all topics with equal partition counts lands on one member, so joins stay local.
 */
export const rangeAssignor: Assignor = {
  name: "range",
  assign(members, partitionCounts) {
    const assigned = new Map<string, Map<string, number[]>>([...members.keys()].map((member) => [member, new Map()]));
    for (const [topic, partitionCount] of partitionCounts) {
      const subscribed = [...members].filter(([, topics]) => topics.includes(topic)).map(([member]) => member);
      if (subscribed.length === 0) continue;
      subscribed.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      const share = Math.floor(partitionCount / subscribed.length);
      const withOneMore = partitionCount % subscribed.length;
      let next = 0;
      for (const [index, member] of subscribed.entries()) {
        const size = share + (index < withOneMore ? 1 : 0);
        if (size > 0)
          assigned.get(member)?.set(
            topic,
            Array.from({ length: size }, (_, i) => next + i),
          );
        next += size;
      }
    }
    return assigned;
  },
};

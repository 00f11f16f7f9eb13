import { type Assignor, compareMembers } from "./assignor.ts";

/**
 * Java's `RangeAssignor`: per topic, members in order ({@link compareMembers}); each gets a run of partitions, the first
 * ones one more. Partition p of all topics with equal partition counts lands on one member, so joins stay local.
 */
export const rangeAssignor: Assignor = {
  name: "range",
  assign(members, partitionCounts) {
    const sorted = [...members].sort(compareMembers);
    const assigned = new Map<string, Map<string, number[]>>(sorted.map(({ memberId }) => [memberId, new Map()]));
    for (const [topic, partitionCount] of partitionCounts) {
      const subscribed = sorted.filter(({ topics }) => topics.includes(topic));
      if (subscribed.length === 0) continue;
      const share = Math.floor(partitionCount / subscribed.length);
      const withOneMore = partitionCount % subscribed.length;
      let next = 0;
      for (const [index, { memberId }] of subscribed.entries()) {
        const first = next;
        next += share + (index < withOneMore ? 1 : 0);
        if (next === first) continue;
        const run = Array.from({ length: next - first }, (_, i) => first + i);
        assigned.get(memberId)?.set(topic, run);
      }
    }
    return assigned;
  },
};

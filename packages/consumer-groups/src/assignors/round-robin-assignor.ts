import { type Assignor, compareMembers } from "@eos/client";
import { compareText } from "./text-order.ts";

/**
 * Java's `RoundRobinAssignor`: all partitions, topic by topic, are dealt to the members in turn; a member that does
 * not subscribe to a topic is passed over. Where all subscribe to the same, no member has two partitions more than
 * another. It is not sticky: one member more or less moves most partitions.
 */
export const roundRobinAssignor: Assignor = {
  name: "roundrobin",
  assign(members, partitionCounts) {
    const circle = members.toSorted(compareMembers).map(({ memberId, topics }) => ({
      memberId,
      topics: new Set(topics),
      assigned: new Map<string, number[]>(),
    }));
    const subscribed = new Set(members.flatMap((member) => member.topics));
    let turn = 0;
    for (const topic of [...subscribed].sort(compareText)) {
      const partitionCount = partitionCounts.get(topic) ?? 0;
      for (let partition = 0; partition < partitionCount; partition++) {
        while (circle[turn]?.topics.has(topic) !== true) turn = (turn + 1) % circle.length;
        const { assigned } = circle[turn] as (typeof circle)[number];
        const partitions = assigned.get(topic);
        if (partitions === undefined) assigned.set(topic, [partition]);
        else partitions.push(partition);
        turn = (turn + 1) % circle.length;
      }
    }
    return new Map(circle.map(({ memberId, assigned }) => [memberId, assigned]));
  },
};

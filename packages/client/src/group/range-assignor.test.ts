import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareMembers, type MemberSubscription } from "./assignor.ts";
import { rangeAssignor } from "./range-assignor.ts";

const topics: fc.Arbitrary<string> = fc.constantFrom("a", "b", "c");
const groups = fc.record({
  members: fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), fc.uniqueArray(topics), { maxKeys: 7 }),
  partitionCounts: fc.dictionary(topics, fc.nat(12)),
});

/** The formula in Java's `RangeAssignor.assign`, before racks: where a member's run begins, and how long it is. */
function javaRange(partitionCount: number, memberCount: number, index: number): number[] {
  const perMember = Math.floor(partitionCount / memberCount);
  const membersWithExtra = partitionCount % memberCount;
  const start = perMember * index + Math.min(index, membersWithExtra);
  const length = perMember + (index + 1 > membersWithExtra ? 0 : 1);
  return Array.from({ length }, (_, i) => start + i);
}

function member(
  memberId: string,
  topics: readonly string[],
  groupInstanceId: string | null = null,
): MemberSubscription {
  return { memberId, groupInstanceId, topics, ownedPartitions: [], generationId: -1, userData: null };
}

function assign(members: { [id: string]: string[] }, partitionCounts: { [topic: string]: number }) {
  const subscriptions = Object.entries(members).map(([memberId, topics]) => member(memberId, topics));
  return rangeAssignor.assign(subscriptions, new Map(Object.entries(partitionCounts)));
}

describe("rangeAssignor", () => {
  test("Every partition of a subscribed topic goes to exactly one member that subscribes to it.", () => {
    fc.assert(
      fc.property(groups, ({ members, partitionCounts }) => {
        const assigned = assign(members, partitionCounts);
        expect([...assigned.keys()].sort()).toEqual(Object.keys(members).sort());
        for (const [topic, count] of Object.entries(partitionCounts)) {
          const owners = [...assigned].filter(([, assignment]) => (assignment.get(topic) ?? []).length > 0);
          for (const [member] of owners) expect(members[member]).toContain(topic);
          const given = owners.flatMap(([, assignment]) => assignment.get(topic) ?? []).sort((x, y) => x - y);
          const isSubscribed = Object.values(members).some((topics) => topics.includes(topic));
          expect(given).toEqual(isSubscribed ? Array.from({ length: count }, (_, partition) => partition) : []);
        }
      }),
    );
  });

  test("Within a topic no member has two partitions more than another.", () => {
    fc.assert(
      fc.property(groups, ({ members, partitionCounts }) => {
        const assigned = assign(members, partitionCounts);
        for (const topic of Object.keys(partitionCounts)) {
          const sizes = Object.entries(members)
            .filter(([, topics]) => topics.includes(topic))
            .map(([member]) => assigned.get(member)?.get(topic)?.length ?? 0);
          if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test("The runs are those of Java's RangeAssignor, whatever the order the members joined in.", () => {
    fc.assert(
      fc.property(groups, ({ members, partitionCounts }) => {
        const assigned = assign(members, partitionCounts);
        for (const [topic, count] of Object.entries(partitionCounts)) {
          const subscribed = Object.keys(members)
            .filter((member) => members[member]?.includes(topic))
            .sort();
          for (const [index, member] of subscribed.entries()) {
            expect(assigned.get(member)?.get(topic) ?? []).toEqual(javaRange(count, subscribed.length, index));
          }
        }
      }),
    );
  });

  test("The example of Java's documentation: two topics of three partitions, two members.", () => {
    const assigned = assign({ C1: ["t0", "t1"], C0: ["t0", "t1"] }, { t0: 3, t1: 3 });
    expect(assigned.get("C0")).toEqual(
      new Map([
        ["t0", [0, 1]],
        ["t1", [0, 1]],
      ]),
    );
    expect(assigned.get("C1")).toEqual(
      new Map([
        ["t0", [2]],
        ["t1", [2]],
      ]),
    );
  });

  test("Static members come first, by instance id, whatever member ids they have at present.", () => {
    const members = [member("a", ["t"]), member("z", ["t"], "1"), member("b", ["t"], "2"), member("A", ["t"])];
    expect([...members].sort(compareMembers).map(({ memberId }) => memberId)).toEqual(["z", "b", "A", "a"]);
    const assigned = rangeAssignor.assign(members, new Map([["t", 4]]));
    expect(members.map(({ memberId }) => assigned.get(memberId)?.get("t"))).toEqual([[3], [0], [1], [2]]);
  });

  test("The order is by code units, as Java's, and not by code points.", () => {
    const members = [member("\uFF5E", ["t"]), member("\u{1F600}", ["t"])];
    expect([...members].sort(compareMembers).map(({ memberId }) => memberId)).toEqual(["\u{1F600}", "\uFF5E"]);
  });
});

import { type Assignment, type Assignor, type MemberSubscription, rangeAssignor } from "@eos/client";
import { formatTopicPartition, type TopicPartition } from "@eos/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coPartitionedAssignor } from "./co-partitioned-assignor.ts";
import { roundRobinAssignor } from "./round-robin-assignor.ts";
import { stickyAssignor } from "./sticky/sticky-assignor.ts";

interface Group {
  readonly members: readonly MemberSubscription[];
  readonly partitionCounts: ReadonlyMap<string, number>;
}

const TOPICS = ["audit", "clicks", "flights", "gone", "orders"];
const memberIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 });
const someTopics = fc.subarray(TOPICS);

function newMember(memberId: string, topics: readonly string[], groupInstanceId: string | null): MemberSubscription {
  return { memberId, groupInstanceId, topics, ownedPartitions: [], generationId: -1, userData: null };
}

/** Instance ids are unique in a group. */
function members(topics: fc.Arbitrary<readonly string[]>): fc.Arbitrary<MemberSubscription[]> {
  return memberIds.chain((ids) =>
    fc
      .tuple(...ids.map((id) => fc.tuple(topics, fc.boolean()).map(([own, isStatic]) => ({ id, own, isStatic }))))
      .map((list) => list.map(({ id, own, isStatic }) => newMember(id, own, isStatic ? `static-${id}` : null))),
  );
}

const differingCounts = fc
  .tuple(...TOPICS.slice(0, 4).map(() => fc.nat(12)))
  .map((counts) => new Map(TOPICS.filter((topic) => topic !== "gone").map((topic, i) => [topic, counts[i] ?? 0])));
const equalCounts = fc
  .integer({ min: 1, max: 20 })
  .map((count) => new Map(TOPICS.filter((topic) => topic !== "gone").map((topic) => [topic, count])));

const differing: fc.Arbitrary<Group> = fc.record({ members: members(someTopics), partitionCounts: differingCounts });
const equal: fc.Arbitrary<Group> = someTopics.chain((topics) =>
  fc.record({ members: members(fc.constant(topics)), partitionCounts: differingCounts }),
);
const coPartitioned: fc.Arbitrary<Group> = someTopics.chain((topics) =>
  fc.record({ members: members(fc.constant(topics)), partitionCounts: equalCounts }),
);

function partitionsOf(assignment: Assignment | undefined): TopicPartition[] {
  return [...(assignment ?? [])].flatMap(([topic, ids]) => ids.map((partition) => ({ topic, partition })));
}

/** The owner of each partition, by its name. */
function ownersOf(assigned: ReadonlyMap<string, Assignment>): Map<string, string> {
  const owners = new Map<string, string>();
  for (const [memberId, assignment] of assigned) {
    for (const topicPartition of partitionsOf(assignment)) {
      const name = formatTopicPartition(topicPartition);
      expect(owners.has(name)).toBe(false);
      owners.set(name, memberId);
    }
  }
  return owners;
}

/** The members as they join again, with what they were assigned in `generationId`. */
function rejoining(
  assignor: Assignor,
  group: Group,
  assigned: ReadonlyMap<string, Assignment>,
  generationId = 1,
): MemberSubscription[] {
  return group.members.map((member) => {
    const ownedPartitions = partitionsOf(assigned.get(member.memberId));
    const userData = assignor.userData?.(ownedPartitions, generationId) ?? null;
    return { ...member, ownedPartitions, generationId, userData };
  });
}

/** Partitions whose owner was and is in the group, and is another one. */
function moved(before: ReadonlyMap<string, Assignment>, after: ReadonlyMap<string, Assignment>): string[] {
  const old = ownersOf(before);
  return [...ownersOf(after)]
    .filter(([name, owner]) => old.has(name) && old.get(name) !== owner && after.has(old.get(name) as string))
    .map(([name]) => name);
}

function spread(sizes: readonly number[]): number {
  return Math.max(...sizes) - Math.min(...sizes);
}

const sizeOf = (assignment: Assignment): number => partitionsOf(assignment).length;

const assignors = [
  { assignor: rangeAssignor, groups: differing },
  { assignor: roundRobinAssignor, groups: differing },
  { assignor: stickyAssignor, groups: differing },
  { assignor: coPartitionedAssignor, groups: coPartitioned },
].map((entry) => ({ ...entry, name: entry.assignor.name }));

describe.each(assignors)("The assignor $name", ({ assignor, groups }) => {
  test("gives every partition of a subscribed topic to exactly one member, which subscribes to it.", () => {
    fc.assert(
      fc.property(groups, ({ members, partitionCounts }) => {
        const assigned = assignor.assign(members, partitionCounts);
        expect([...assigned.keys()].sort()).toEqual(members.map(({ memberId }) => memberId).sort());
        const subscribed = new Set(members.flatMap(({ topics }) => topics));
        const expected = [...partitionCounts].flatMap(([topic, count]) =>
          subscribed.has(topic)
            ? Array.from({ length: count }, (_, p) => formatTopicPartition({ topic, partition: p }))
            : [],
        );
        expect([...ownersOf(assigned).keys()].sort()).toEqual(expected.sort());
        for (const { memberId, topics } of members) {
          for (const topic of assigned.get(memberId)?.keys() ?? []) expect(topics).toContain(topic);
        }
      }),
    );
  });

  test("makes the same whatever order the members stand in.", () => {
    const shuffled = groups.chain((group) =>
      fc.tuple(fc.constant(group), fc.shuffledSubarray([...group.members], { minLength: group.members.length })),
    );
    fc.assert(
      fc.property(shuffled, ([group, order]) => {
        const first = ownersOf(assignor.assign(group.members, group.partitionCounts));
        const again = ownersOf(assignor.assign(order, group.partitionCounts));
        expect(again).toEqual(first);
      }),
    );
  });
});

describe("Balance, where all subscribe to the same topics", () => {
  test.each([roundRobinAssignor, stickyAssignor])(
    "$name: no member has two partitions more than another.",
    (assignor) => {
      fc.assert(
        fc.property(equal, ({ members, partitionCounts }) => {
          const assigned = assignor.assign(members, partitionCounts);
          expect(spread([...assigned.values()].map(sizeOf))).toBeLessThanOrEqual(1);
        }),
      );
    },
  );

  test.each([rangeAssignor, coPartitionedAssignor])(
    "$name: of no topic has a member two partitions more than another.",
    (assignor) => {
      fc.assert(
        fc.property(coPartitioned, ({ members, partitionCounts }) => {
          const assigned = [...assignor.assign(members, partitionCounts).values()];
          for (const topic of TOPICS) {
            expect(spread(assigned.map((assignment) => assignment.get(topic)?.length ?? 0))).toBeLessThanOrEqual(1);
          }
        }),
      );
    },
  );
});

const stickyOnes = [
  { assignor: stickyAssignor, groups: equal },
  { assignor: coPartitionedAssignor, groups: coPartitioned },
].map((entry) => ({ ...entry, name: entry.assignor.name }));

describe.each(stickyOnes)("Stickiness of $name", ({ assignor, groups }) => {
  test("Nothing moves while nothing changes.", () => {
    fc.assert(
      fc.property(groups, (group) => {
        const before = assignor.assign(group.members, group.partitionCounts);
        const after = assignor.assign(rejoining(assignor, group, before), group.partitionCounts);
        expect(ownersOf(after)).toEqual(ownersOf(before));
      }),
    );
  });

  test("When a member leaves, only its partitions move.", () => {
    const withTwo = groups.filter(({ members }) => members.length > 1);
    fc.assert(
      fc.property(withTwo, fc.nat(7), (group, index) => {
        const before = assignor.assign(group.members, group.partitionCounts);
        const left = index % group.members.length;
        const staying = rejoining(assignor, group, before).toSpliced(left, 1);
        expect(moved(before, assignor.assign(staying, group.partitionCounts))).toEqual([]);
      }),
    );
  });

  test("When a member joins, no more moves than what it gets, and the group is balanced.", () => {
    fc.assert(
      fc.property(groups, (group) => {
        const before = assignor.assign(group.members, group.partitionCounts);
        const newcomer = newMember("a newcomer", group.members[0]?.topics ?? [], null);
        const after = assignor.assign([...rejoining(assignor, group, before), newcomer], group.partitionCounts);
        const gets = partitionsOf(after.get("a newcomer")).map(formatTopicPartition);
        expect(moved(before, after).sort()).toEqual(gets.sort());
        const topicCount =
          assignor === coPartitionedAssignor ? new Set([...after.values()].flatMap((a) => [...a.keys()])).size : 1;
        expect(spread([...after.values()].map(sizeOf))).toBeLessThanOrEqual(topicCount);
      }),
    );
  });

  test("When two members claim the same, the one of the newer generation keeps it.", () => {
    const partitionCounts = new Map([["orders", 3]]);
    const rejoin = (memberId: string, generationId: number) => {
      const group = { members: [newMember(memberId, ["orders"], null)], partitionCounts };
      return rejoining(assignor, group, new Map([[memberId, new Map([["orders", [0, 1, 2]]])]]), generationId);
    };
    for (const [newer, older] of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      const members = [...rejoin(newer, 9), ...rejoin(older, 8), newMember("c", ["orders"], null)];
      expect(assignor.assign(members, partitionCounts).get(newer)).toEqual(new Map([["orders", [0]]]));
    }
  });
});

describe("The sticky assignor with different subscriptions", () => {
  test("Nothing moves while nothing changes.", () => {
    fc.assert(
      fc.property(differing, (group) => {
        const before = stickyAssignor.assign(group.members, group.partitionCounts);
        const after = stickyAssignor.assign(rejoining(stickyAssignor, group, before), group.partitionCounts);
        expect(moved(before, after)).toEqual([]);
      }),
    );
  });

  // Any claims: of topics nobody subscribes to, of partitions that are gone, by several members, in any generation.
  const claims = fc.array(fc.record({ topic: fc.constantFrom(...TOPICS), partition: fc.nat(15) }), { maxLength: 40 });
  const claiming = differing.chain((group) =>
    fc
      .tuple(
        ...group.members.map((member) =>
          fc
            .tuple(claims, fc.integer({ min: -1, max: 4 }), fc.integer({ min: -1, max: 4 }))
            .map(([owned, claimedIn, generationId]) => ({
              ...member,
              generationId,
              userData: stickyAssignor.userData?.(owned, claimedIn) ?? null,
            })),
        ),
      )
      .map((claimants): Group => ({ ...group, members: claimants })),
  );

  test("Whatever the members claim, all is assigned, and no member could have a partition of one that has two more.", () => {
    fc.assert(
      fc.property(claiming, ({ members, partitionCounts }) => {
        const assigned = stickyAssignor.assign(members, partitionCounts);
        const owners = ownersOf(assigned);
        for (const { memberId, topics } of members) {
          const size = sizeOf(assigned.get(memberId) ?? new Map());
          for (const topic of topics) {
            for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
              const owner = owners.get(formatTopicPartition({ topic, partition })) as string;
              expect(members.find((member) => member.memberId === owner)?.topics).toContain(topic);
              expect(sizeOf(assigned.get(owner) ?? new Map()) - size).toBeLessThanOrEqual(1);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

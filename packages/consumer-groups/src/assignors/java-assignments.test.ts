import { readFileSync } from "node:fs";
import { type Assignor, type MemberSubscription, rangeAssignor } from "@eos/client";
import { describe, expect, test } from "vitest";
import { roundRobinAssignor } from "./round-robin-assignor.ts";
import { stickyAssignor } from "./sticky/sticky-assignor.ts";

/** By topic, the owner of each partition: one digit for each, an index into the members. */
type Owners = { [topic: string]: string };

interface JavaCase {
  readonly counts: { [topic: string]: number };
  /** Member id, instance id, topics, generation, user data in base64. */
  readonly members: [string, string | null, string[], number, string | null][];
  readonly range: Owners;
  readonly roundrobin: Owners;
  readonly sticky: Owners | null;
}

// Made by test/java/AssignorGoldens.java.
const cases = JSON.parse(readFileSync(new URL("java-assignments.json", import.meta.url), "utf8")) as JavaCase[];

function subscriptions({ members }: JavaCase): MemberSubscription[] {
  return members.map(([memberId, groupInstanceId, topics, generationId, userData]) => ({
    memberId,
    groupInstanceId,
    topics,
    ownedPartitions: [],
    generationId,
    userData: userData === null ? null : Buffer.from(userData, "base64"),
  }));
}

function owners(assignor: Assignor, group: JavaCase): Owners {
  const members = subscriptions(group);
  const assigned = assignor.assign(members, new Map(Object.entries(group.counts)));
  const result: { [topic: string]: number[] } = {};
  for (const [index, { memberId }] of members.entries()) {
    for (const [topic, partitions] of assigned.get(memberId) ?? []) {
      const ofTopic = (result[topic] ??= Array.from({ length: group.counts[topic] ?? 0 }, () => -1));
      for (const partition of partitions) ofTopic[partition] = index;
    }
  }
  return Object.fromEntries(Object.entries(result).map(([topic, ids]) => [topic, ids.join("")]));
}

describe("Of 300 groups at random, Java's assignors and ours make the same:", () => {
  test.each([rangeAssignor, roundRobinAssignor])("$name.", (assignor) => {
    for (const group of cases) expect(owners(assignor, group)).toEqual(group[assignor.name as "range" | "roundrobin"]);
  });

  test("sticky, wherever Java's result can be used.", () => {
    const usable = cases.filter(({ sticky }) => sticky !== null);
    expect(usable.length).toBeGreaterThan(280);
    for (const group of usable) expect(owners(stickyAssignor, group)).toEqual(group.sticky);
  });

  test("sticky, whatever order the members stand in.", () => {
    for (const group of cases.filter(({ sticky }) => sticky !== null)) {
      const reversed = { ...group, members: group.members.toReversed() };
      const last = group.members.length - 1;
      const mirrored = (ids: string) => Array.from(ids, (id) => last - Number(id)).join("");
      const expected = Object.entries(group.sticky as Owners).map(([topic, ids]) => [topic, mirrored(ids)]);
      expect(owners(stickyAssignor, reversed)).toEqual(Object.fromEntries(expected));
    }
  });
});

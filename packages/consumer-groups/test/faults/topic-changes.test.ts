import { uniqueName } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { numbered, TestGroups, type TextRecord } from "../test-groups.ts";

describe("partitions that are added while the group works", () => {
  it("are found within metadataMaxAgeMs, and read from their first record, with autoOffsetReset 'earliest'", async () => {
    await using groups = await TestGroups.create({ partitions: 1 });
    const seen = new Journal<TextRecord>();
    const group = groups.group({ members: 2, metadataMaxAgeMs: 300, handler: seen.add });
    await group.start();
    await groups.write(numbered(3));
    await seen.reached(3);
    await groups.grow(3);
    for (const partition of [1, 2]) await groups.write(numbered(3, { partition }));
    await seen.reached(9);
    await group.close();
    expect(await groups.lagOf(3)).toEqual([0, 0, 0]);
  });
});

describe("a topic that is deleted while the group works", () => {
  it("leaves the rest alone", async () => {
    await using groups = await TestGroups.create();
    const doomed = uniqueName("doomed");
    await groups.createTopic(doomed, 2);
    const seen = new Journal<TextRecord>();
    const group = groups.group({ topics: [groups.topic, doomed], metadataMaxAgeMs: 300, handler: seen.add });
    await group.start();
    await groups.write(numbered(2), doomed);
    await groups.write(numbered(2));
    await seen.reached(4);
    const gone = new Journal<number>();
    group.observe({ rebalanced: ({ assigned }) => gone.add(assigned.length) });
    await groups.client.admin.deleteTopics([doomed]);
    await groups.write(numbered(3));
    await seen.reached(7);
    await gone.until((all) => all.at(-1) === 1);
    await groups.write(numbered(3));
    await groups.untilCommitted(8);
    expect(group.state).toBe("RUNNING");
    expect((await group.lag()).partitions.map(({ topic }) => topic)).toEqual([groups.topic]);
  });
});

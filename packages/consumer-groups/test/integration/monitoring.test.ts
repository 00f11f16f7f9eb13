import { setTimeout as sleep } from "node:timers/promises";
import type { LifecycleState, ObserverEvents } from "@eos/core";
import { uniqueName } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { numbered, TestGroups, type TextRecord } from "../test-groups.ts";

describe("metrics", () => {
  it("count records, commits and rebalances, and say what is in flight and how busy the members are", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    const held = new Latch();
    const seen = new Journal<number>();
    const group = groups.group({
      handler: async ({ offset }) => {
        seen.add(offset);
        if (offset === 4) await held.opened;
      },
    });
    expect(group.metrics()).toMatchObject({
      recordsConsumedTotal: 0,
      commitTotal: 0,
      rebalanceTotal: 0,
      lastRebalanceSecondsAgo: null,
      pollIdleRatioAvg: 1,
    });
    await group.start();
    for (const partition of [0, 1]) await groups.write(numbered(5, { partition }));
    await seen.reached(10);
    await sleep(50);
    const metrics = group.metrics();
    expect(metrics).toMatchObject({
      recordsConsumedTotal: 8,
      recordsInFlight: 2,
      recordsFailedTotal: 0,
      rebalanceTotal: 1,
    });
    expect(metrics.pollIdleRatioAvg).toBeLessThan(1);
    expect(metrics.rebalanceLatencyMaxMs).toBeGreaterThan(0);
    expect(metrics.lastRebalanceSecondsAgo).toBeGreaterThan(0);
    held.open();
    for (const partition of [0, 1]) await groups.untilCommitted(5, partition);
    const after = group.metrics();
    expect(after).toMatchObject({
      recordsConsumedTotal: 10,
      recordsInFlight: 0,
      commitRefusedTotal: 0,
      memberFailedTotal: 0,
    });
    expect(after.commitTotal).toBeGreaterThan(0);
    expect(after.commitLatencyMaxMs).toBeGreaterThanOrEqual(after.commitLatencyAvgMs);
  });
});

describe("health and state", () => {
  it("follow the group through its life", async () => {
    await using groups = await TestGroups.create();
    const states = new Journal<LifecycleState>();
    const group = groups.group({ members: 2, handler: () => {}, onStateChange: (next) => states.add(next) });
    expect(group.health()).toMatchObject({ state: "CREATED", isLive: true, isReady: false, members: [], error: null });
    await group.start();
    await states.until((all) => all.at(-1) === "RUNNING");
    expect(group.health()).toMatchObject({ state: "RUNNING", isLive: true, isReady: true, paused: [], error: null });
    const { members } = group.health();
    expect(members.map(({ assigned }) => assigned.length).toSorted((a, b) => a - b)).toEqual([0, 1]);
    for (const { memberId, isRunning, sinceLastHeartbeatMs } of members) {
      expect(memberId).not.toBe("");
      expect(isRunning).toBe(true);
      expect(sinceLastHeartbeatMs).toBeLessThan(1_000);
    }
    expect(group.assigned).toEqual([groups.partition()]);
    await group.close();
    expect(group.health()).toMatchObject({ state: "NOT_RUNNING", isLive: false, isReady: false });
    expect(states.entries.at(0)).toBe("REBALANCING");
    expect(states.entries.slice(-2)).toEqual(["PENDING_SHUTDOWN", "NOT_RUNNING"]);
    // Closing again, and a second start, do nothing and are refused.
    await group.close();
    await expect(group.scale(1)).rejects.toMatchObject({ code: "EOS_GROUP_CLOSED" });
  });
});

describe("observe", () => {
  it("tells everybody who watches, until they end it; whoever throws changes nothing", async () => {
    await using groups = await TestGroups.create();
    const given = new Journal<ObserverEvents["offsetsCommitted"]>();
    const added = new Journal<ObserverEvents["offsetsCommitted"]>();
    const group = groups.group({ handler: () => {}, observer: { offsetsCommitted: given.add } });
    const stop = group.observe({ offsetsCommitted: added.add });
    group.observe({
      offsetsCommitted: () => {
        throw new Error("of no consequence");
      },
    });
    await group.start();
    await groups.write(numbered(1));
    await given.reached(1);
    expect(added.entries).toEqual(given.entries);
    expect(given.entries).toMatchObject([{ groupId: groups.groupId, offsets: [{ ...groups.partition(), offset: 1 }] }]);
    stop();
    await groups.write(numbered(1));
    await given.reached(2);
    expect(added.entries).toHaveLength(1);
  });
});

describe("topics by RegExp", () => {
  it("are all that match, and those that come to match later", async () => {
    await using groups = await TestGroups.create();
    const prefix = uniqueName("regexp");
    await groups.createTopic(`${prefix}-a`);
    await groups.createTopic(`other-${prefix}-b`);
    const seen = new Journal<TextRecord>();
    const group = groups.group({
      topics: new RegExp(`^${prefix}-`, "g"),
      metadataMaxAgeMs: 300,
      handler: seen.add,
    });
    await group.start();
    await groups.write(numbered(1), `${prefix}-a`);
    await groups.write(numbered(1), `other-${prefix}-b`);
    await seen.reached(1);
    await groups.createTopic(`${prefix}-c`);
    await groups.write(numbered(2), `${prefix}-c`);
    await seen.reached(3);
    expect(seen.entries.map(({ topic }) => topic)).toEqual([`${prefix}-a`, `${prefix}-c`, `${prefix}-c`]);
    const lag = await group.lag();
    expect(lag.partitions.map(({ topic }) => topic)).toEqual([`${prefix}-a`, `${prefix}-c`]);
  });

  it("may be none at first", async () => {
    await using groups = await TestGroups.create();
    const topic = uniqueName("later");
    const seen = new Journal<TextRecord>();
    const group = groups.group({ topics: new RegExp(`^${topic}$`), metadataMaxAgeMs: 300, handler: seen.add });
    await group.start();
    await groups.createTopic(topic);
    await groups.write(numbered(2), topic);
    await seen.reached(2);
  });
});

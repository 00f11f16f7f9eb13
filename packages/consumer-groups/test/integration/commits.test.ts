import { setTimeout as sleep } from "node:timers/promises";
import { FaultInjector } from "@tooling/faults";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { numbered, TestGroups, upTo } from "../test-groups.ts";
import { Worker } from "../worker.ts";

describe("commit 'record'", () => {
  it("has at most one record of each partition handled again after a SIGKILL, and none skipped", async () => {
    await using groups = await TestGroups.create({ partitions: 3 });
    for (const partition of [0, 1, 2]) await groups.write(numbered(100, { partition }));
    await using victim = new Worker(groups, { commit: "record", handlerMs: 2, sessionTimeoutMs: 1_000 });
    await victim.handled(90);
    await victim.kill();
    const seen = new Journal<{ readonly partition: number; readonly offset: number }>();
    const group = groups.group({ handler: seen.add });
    await group.start();
    for (const partition of [0, 1, 2]) await groups.untilCommitted(100, partition);
    for (const partition of [0, 1, 2]) {
      const before = victim.offsets("handled", partition);
      const after = seen.entries.filter((record) => record.partition === partition).map(({ offset }) => offset);
      expect(before).toEqual(upTo(before.length));
      // Otherwise there would have been nothing left to be handled twice.
      expect(before.length).toBeLessThan(100);
      const first = after[0] ?? -1;
      expect(after).toEqual(upTo(100 - first, first));
      expect([before.length, before.length - 1]).toContain(first);
    }
  });

  it("hands out the next record of a partition when the one before is committed", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(20));
    const committed = new Journal<number>();
    const group = groups.group({
      commit: "record",
      handler: async () => committed.add(await groups.committed()),
    });
    await group.start();
    await groups.untilCommitted(20);
    expect(committed.entries).toEqual([-1, ...upTo(19, 1)]);
  });

  it("is not fooled by the commit that moves past a transaction's marker", async () => {
    await using groups = await TestGroups.create();
    const faults = new FaultInjector();
    const seen = new Journal<number>();
    const group = groups.group({
      commit: "record",
      socketFactory: faults.socketFactory,
      handler: ({ offset }) => seen.add(offset),
    });
    await group.start();
    await groups.write(numbered(1));
    await groups.untilCommitted(1);
    let answers = 0;
    // 1. The record at 1 is committed; then the marker at offset 2 is passed, and 3 is on its way to be committed.
    const marker = faults.arm({
      api: "OffsetCommit",
      on: "response",
      action: "hold",
      matching: () => seen.entries.length === 2 && ++answers === 2,
    });
    await groups.writeInTransaction(numbered(1), "commit");
    await marker.struck;
    await groups.write(numbered(2));
    await seen.reached(3);
    // 2. The record at 3 is handled; the answer for the marker comes. 3. The record at 4 must wait still.
    const next = faults.arm({ api: "OffsetCommit", on: "request", action: "hold" });
    await marker.release();
    await next.struck;
    expect(seen.entries).toEqual([0, 1, 3]);
    await next.release();
    await groups.untilCommitted(5);
    expect(seen.entries).toEqual([0, 1, 3, 4]);
  });
});

describe("commit 'batch'", () => {
  it("commits when a batch has ended, and what it has of an unfinished one within a second or so", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    await groups.write(numbered(5));
    const held = new Latch();
    const commits = new Journal<number>();
    const group = groups.group({
      handler: async ({ offset }) => {
        if (offset === 7) await held.opened;
      },
      observer: { offsetsCommitted: ({ offsets }) => commits.add(offsets[0]?.offset ?? -1) },
    });
    await group.start();
    await commits.until((all) => all.includes(7));
    held.open();
    await commits.until((all) => all.at(-1) === 10);
    expect(commits.entries.toSorted((a, b) => a - b)).toEqual(commits.entries);
    expect(commits.entries.length).toBeLessThanOrEqual(4);
  });
});

describe("commit at an interval", () => {
  it("commits at most once in it, and what is left when the group is closed", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(300));
    const commits = new Journal<number>();
    const seen = new Journal<number>();
    const group = groups.group({
      commit: { intervalMs: 200 },
      handler: async ({ offset }) => {
        await sleep(2);
        seen.add(offset);
      },
      observer: { offsetsCommitted: () => commits.add(1) },
    });
    const startedMs = performance.now();
    await group.start();
    await seen.reached(300);
    const elapsedMs = performance.now() - startedMs;
    const count = commits.entries.length;
    await group.close();
    expect(count).toBeGreaterThanOrEqual(2);
    expect(count).toBeLessThanOrEqual(elapsedMs / 200);
    expect(await groups.committed()).toBe(300);
  });
});

describe("commit 'manual'", () => {
  it("commits what is completed when commit() is called, and nothing else, not when it is closed either", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(10, { partition }));
    const seen = new Journal<number>();
    const held = new Latch();
    const group = groups.group({
      commit: "manual",
      members: 2,
      handler: async ({ partition, offset }) => {
        seen.add(offset);
        if (partition === 1 && offset === 4) await held.opened;
      },
    });
    await group.start();
    await seen.reached(15);
    await group.commit();
    expect(await groups.committed(0)).toBe(10);
    expect(await groups.committed(1)).toBe(4);
    held.open();
    await seen.reached(20);
    await group.close();
    expect(await groups.committed(1)).toBe(4);
  });

  it("says so when the coordinator refuses it", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(3));
    const seen = new Journal<number>();
    const group = groups.group({
      commit: "manual",
      groupInstanceId: "static",
      heartbeatIntervalMs: 9_000,
      handler: ({ offset }) => seen.add(offset),
    });
    await group.start();
    await seen.reached(3);
    const other = groups.group({ commit: "manual", groupInstanceId: "static", handler: () => {} });
    const taken = new Latch();
    other.observe({ rebalanced: () => taken.open() });
    await other.start();
    await taken.opened;
    await expect(group.commit()).rejects.toMatchObject({ code: "EOS_FENCED_INSTANCE_ID" });
    expect(await groups.committed()).toBe(-1);
  });
});

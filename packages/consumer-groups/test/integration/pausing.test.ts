import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { numbered, TestGroups, type TextRecord, upTo } from "../test-groups.ts";

describe("pause", () => {
  it("hands out nothing more at once, also to a handler that is synchronous, until resume", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(50));
    const seen = new Journal<number>();
    const group = groups.group({
      handler: ({ offset }) => {
        seen.add(offset);
        if (offset === 19) group.pause(groups.partition(), { reason: "enough" });
      },
    });
    await group.start();
    await groups.untilCommitted(20);
    expect(seen.entries).toEqual(upTo(20));
    expect(group.health().paused).toEqual([{ ...groups.partition(), reason: "enough" }]);
    group.resume(groups.partition());
    await seen.reached(50);
    expect(seen.entries).toEqual(upTo(50));
    expect(group.health().paused).toEqual([]);
  });

  it("hands out nothing more of that partition to a batch handler; the others go on", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(50, { partition }));
    const seen = new Journal<number>();
    const group = groups.group({
      maxBatchRecords: 10,
      batchHandler: ({ partition, records }) => {
        for (const _ of records) seen.add(partition);
        if (partition === 0) group.pause(groups.partition(0));
      },
    });
    await group.start();
    await groups.untilCommitted(50, 1);
    await groups.untilCommitted(10, 0);
    expect(seen.entries.filter((partition) => partition === 0)).toHaveLength(10);
    group.resume(groups.partition(0));
    await groups.untilCommitted(20, 0);
  });

  it("ends by itself after forMs, counted from the last pause", async () => {
    await using groups = await TestGroups.create();
    const seen = new Journal<TextRecord>();
    const group = groups.group({ handler: seen.add });
    await group.start();
    group.pause(groups.partition(), { forMs: 50 });
    group.pause(groups.partition(), { forMs: 400 });
    const pausedMs = performance.now();
    await groups.write(numbered(1));
    await seen.reached(1);
    expect(performance.now() - pausedMs).toBeGreaterThan(390);
    expect(group.health().paused).toEqual([]);
  });

  it("before the partition is assigned holds from its first record on, and outlives a rebalance", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(5, { partition }));
    const seen = new Journal<TextRecord>();
    const group = groups.group({ handler: seen.add });
    group.pause(groups.partition(1));
    await group.start();
    await groups.untilCommitted(5, 0);
    await group.scale(2);
    await groups.write(numbered(5));
    await groups.untilCommitted(10, 0);
    expect(seen.entries.some(({ partition }) => partition === 1)).toBe(false);
    group.resume(groups.partition(1));
    await groups.untilCommitted(5, 1);
  });

  it("lets what is in hand go on", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const seen = new Journal<TextRecord>();
    const ended = new Journal<number>();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const group = groups.group({
      handler: async (record, { signal }) => {
        seen.add(record);
        await held;
        expect(signal.aborted).toBe(false);
        ended.add(record.offset);
      },
    });
    await group.start();
    await seen.reached(1);
    group.pause(groups.partition());
    release();
    await groups.untilCommitted(1);
    expect(ended.entries).toEqual([0]);
  });
});

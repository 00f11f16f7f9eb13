import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumerGroup } from "@eos/consumer-groups";
import type { ObserverEvents } from "@eos/core";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { numbered, TestGroups, type TextRecord, upTo } from "../test-groups.ts";

const PARTITIONS = upTo(6);

const partitionsOf = (partitions: readonly { readonly partition: number }[]): number[] =>
  partitions.map(({ partition }) => partition).toSorted((a, b) => a - b);

/** Resolves when the group reaches a generation in which its members have these numbers of partitions. */
async function shared(group: ConsumerGroup<string, string>, counts: readonly number[]): Promise<void> {
  const changed = new Journal<null>();
  const stop = group.observe({ rebalanced: () => changed.add(null), stateChanged: () => changed.add(null) });
  const isShared = (): boolean => {
    const { state, members } = group.health();
    const now = members.map(({ assigned }) => assigned.length).toSorted((a, b) => a - b);
    return state === "RUNNING" && now.join() === counts.join();
  };
  await changed.until(isShared);
  stop();
}

describe("scaling while the group works", () => {
  it("shares the partitions among as many members, and loses and doubles nothing", async () => {
    await using groups = await TestGroups.create({ partitions: PARTITIONS.length });
    const seen = new Journal<TextRecord>();
    const group = groups.group({
      ordering: "key",
      handler: async (record) => {
        await sleep(Math.random() * 10);
        seen.add(record);
      },
    });
    let isWriting = true;
    let written = 0;
    const writing = (async () => {
      while (isWriting) {
        for (const partition of PARTITIONS) await groups.write(numbered(10, { partition }, written));
        written += 10;
        await sleep(10);
      }
    })();
    await group.start();
    await shared(group, [6]);
    await group.scale(3);
    await shared(group, [2, 2, 2]);
    await group.scale(2);
    await shared(group, [3, 3]);
    await group.scale(4);
    await shared(group, [1, 1, 2, 2]);
    await group.scale(1);
    await shared(group, [6]);
    isWriting = false;
    await writing;
    await seen.reached(written * PARTITIONS.length);
    await group.close();
    for (const partition of PARTITIONS) {
      const offsets = seen.entries.filter((record) => record.partition === partition).map(({ offset }) => offset);
      expect(offsets.toSorted((a, b) => a - b)).toEqual(upTo(written));
    }
    expect(await groups.lagOf(PARTITIONS.length)).toEqual(PARTITIONS.map(() => 0));
  });

  it("to no members leaves the partitions to others, and up again takes them back", async () => {
    await using groups = await TestGroups.create();
    const seen = new Journal<TextRecord>();
    const group = groups.group({ handler: seen.add });
    await group.start();
    await shared(group, [1]);
    await group.scale(0);
    expect(group.assigned).toEqual([]);
    await groups.write(numbered(3));
    await group.scale(1);
    await seen.reached(3);
    await expect(group.scale(-1)).rejects.toThrow(TypeError);
    await expect(group.scale(1.5)).rejects.toThrow(TypeError);
  });
});

describe("a rebalance", () => {
  it("keeps the queue and the work in hand of a partition that stays where it is", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(10, { partition }));
    const seen = new Journal<TextRecord>();
    const held = new Latch();
    const signals = new Map<number, AbortSignal>();
    const group = groups.group({
      ordering: "unordered",
      revokeTimeoutMs: 300,
      handler: async (record, { signal }) => {
        seen.add(record);
        if (record.offset > 0) return;
        if (!signals.has(record.partition)) signals.set(record.partition, signal);
        await held.opened;
      },
    });
    await group.start();
    await seen.reached(20);
    await group.scale(2);
    await shared(group, [1, 1]);
    // One partition moved to the new member, and what was in hand of it comes again there.
    await seen.reached(21);
    const moved = seen.entries[20]?.partition ?? -1;
    const kept = 1 - moved;
    expect(seen.entries[20]?.offset).toBe(0);
    expect(signals.get(moved)?.aborted).toBe(true);
    // The other handler outlived the rebalance.
    expect(signals.get(kept)?.aborted).toBe(false);
    await groups.write(numbered(5, { partition: kept }, 10));
    await seen.reached(26);
    held.open();
    await groups.untilCommitted(15, kept);
    await groups.untilCommitted(10, moved);
    const offsets = seen.entries.filter(({ partition }) => partition === kept).map(({ offset }) => offset);
    expect(offsets.toSorted((a, b) => a - b)).toEqual(upTo(15));
    expect(seen.entries).toHaveLength(26);
  });

  it("lets handlers finish first, and commits what they have done", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(4, { partition }));
    const journal = new Journal<string>();
    const begun = new Latch();
    const first = groups.group({
      handler: async ({ partition, offset }, { signal }) => {
        if (offset === 0) return;
        begun.open();
        await sleep(300);
        // Nothing that was begun is taken away from it.
        journal.add(`${signal.aborted ? "dropped" : "first"} ${partition}@${offset}`);
      },
    });
    await first.start();
    await begun.opened;
    const second = groups.group({ handler: ({ partition, offset }) => journal.add(`second ${partition}@${offset}`) });
    await second.start();
    for (const partition of [0, 1]) await groups.untilCommitted(4, partition);
    const all = [0, 1].flatMap((partition) => upTo(3, 1).map((offset) => `${partition}@${offset}`));
    expect(journal.entries).toHaveLength(all.length);
    expect(new Set(journal.entries.map((entry) => entry.split(" ")[1]))).toEqual(new Set(all));
    expect(journal.entries.some((entry) => entry.startsWith("second"))).toBe(true);
  });

  it("drops what handlers have not finished within revokeTimeoutMs: their signal fires, and it comes again elsewhere", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(1, { partition }));
    const seen = new Journal<number>();
    const never = new Latch();
    const signals = new Map<number, AbortSignal>();
    const first = groups.group({
      revokeTimeoutMs: 200,
      handler: async ({ partition }, { signal }) => {
        seen.add(partition);
        signals.set(partition, signal);
        await never.opened;
      },
    });
    await first.start();
    await seen.reached(2);
    const again = new Journal<number>();
    const second = groups.group({ handler: ({ partition }) => again.add(partition) });
    await second.start();
    await again.reached(1);
    const [moved] = again.entries;
    expect(signals.get(moved ?? -1)?.aborted).toBe(true);
    expect(signals.get(1 - (moved ?? -1))?.aborted).toBe(false);
    // The late result of what has moved changes nothing.
    never.open();
    for (const partition of [0, 1]) await groups.untilCommitted(1, partition);
    expect(seen.entries).toHaveLength(2);
    expect(again.entries).toHaveLength(1);
  });
});

describe("close()", () => {
  it("while the group starts is not lost: it does not run afterwards", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(3));
    const seen = new Journal<TextRecord>();
    const group = groups.group({ handler: seen.add });
    const starting = group.start().catch((error: unknown) => error);
    await group.close();
    await starting;
    expect(group.state).toBe("NOT_RUNNING");
    expect(group.assigned).toEqual([]);
    // Nobody is left in the group that it would have to wait for.
    await groups.group({ handler: seen.add }).start();
    await seen.reached(3);
  });

  it("lets handlers finish what they have in hand, and commits it; with drain: false it does not wait", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(3));
    const ended = new Journal<number>();
    const begun = new Latch();
    const drained = groups.group({
      handler: async ({ offset }) => {
        begun.open();
        await sleep(200);
        ended.add(offset);
      },
    });
    await drained.start();
    await begun.opened;
    await drained.close();
    expect(ended.entries).toEqual([0]);
    expect(await groups.committed()).toBe(1);

    const again = new Latch();
    let signal: AbortSignal | undefined;
    const dropped = groups.group({
      handler: async (_record, context) => {
        ({ signal } = context);
        again.open();
        await sleep(5_000);
      },
    });
    await dropped.start();
    await again.opened;
    const startedMs = performance.now();
    await dropped.close({ drain: false });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(signal?.aborted).toBe(true);
    expect(await groups.committed()).toBe(1);
  });
});

describe("the hooks", () => {
  it("are awaited and in order, and find what was completed committed", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(5, { partition }));
    const journal = new Journal<string>();
    const committed: number[] = [];
    const group = groups.group({
      commit: { intervalMs: 60_000 },
      handler: ({ partition, offset }) => journal.add(`record ${partition}@${offset}`),
      onAssigned: async (partitions, { memberId, generationId }) => {
        journal.add(`assigning ${partitionsOf(partitions).join()}`);
        expect(memberId).not.toBe("");
        expect(generationId).toBeGreaterThan(0);
        await sleep(50);
        journal.add(`assigned ${partitionsOf(partitions).join()}`);
      },
      onRevoked: async (partitions) => {
        journal.add(`revoking ${partitionsOf(partitions).join()}`);
        committed.push(...(await Promise.all([0, 1].map((partition) => groups.committed(partition)))));
        await sleep(50);
        journal.add(`revoked ${partitionsOf(partitions).join()}`);
      },
    });
    await group.start();
    await journal.until((entries) => entries.filter((entry) => entry.startsWith("record")).length === 10);
    const other = groups.group({ handler: () => {} });
    await other.start();
    await journal.until((entries) => entries.filter((entry) => entry.startsWith("assigned")).length === 2);
    await group.close();
    const hooks = journal.entries.filter((entry) => !entry.startsWith("record"));
    const kept = hooks[4]?.split(" ")[1];
    expect(["0", "1"]).toContain(kept);
    const before = ["assigning 0,1", "assigned 0,1", "revoking 0,1", "revoked 0,1"];
    const after = ["assigning", "assigned", "revoking", "revoked"].map((hook) => `${hook} ${kept}`);
    expect(hooks).toEqual([...before, ...after]);
    expect(journal.entries.indexOf("record 0@0")).toBeGreaterThan(journal.entries.indexOf("assigned 0,1"));
    expect(committed.slice(0, 2)).toEqual([5, 5]);
  });

  it("may seek before the first record is handed out", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const seen = new Journal<number>();
    const group = groups.group({
      handler: ({ offset }) => seen.add(offset),
      onAssigned: (partitions) =>
        Promise.all(partitions.map((partition) => group.seek(partition, { offset: 6 }))).then(() => undefined),
    });
    await group.start();
    await seen.reached(4);
    expect(seen.entries).toEqual([6, 7, 8, 9]);
  });

  it("stop the group when they throw", async () => {
    await using groups = await TestGroups.create();
    const group = groups.group({
      handler: () => {},
      onAssigned: () => {
        throw new Error("from the hook");
      },
    });
    await group.start();
    await expect(group.finished).rejects.toThrow("from the hook");
    expect(group.state).toBe("ERROR");
  });
});

describe("static membership", () => {
  it("a restart within the session timeout gives the member its partitions back, and moves nothing", async () => {
    await using groups = await TestGroups.create({ partitions: 4 });
    const rebalances = new Journal<ObserverEvents["rebalanced"]>();
    const bystander = groups.group({
      groupInstanceId: "bystander",
      handler: () => {},
      observer: { rebalanced: rebalances.add },
    });
    await bystander.start();
    await shared(bystander, [4]);
    const options = { groupInstanceId: "restarted", sessionTimeoutMs: 20_000 } as const;
    const before = groups.group({ ...options, handler: () => {} });
    await before.start();
    await shared(before, [2]);
    await shared(bystander, [2]);
    const assigned = partitionsOf(before.assigned);
    const count = rebalances.entries.length;
    await before.close();
    for (const partition of assigned) await groups.write(numbered(3, { partition }));
    const seen = new Journal<TextRecord>();
    const after = groups.group({ ...options, handler: seen.add });
    await after.start();
    await seen.reached(6);
    expect(partitionsOf(after.assigned)).toEqual(assigned);
    expect(after.health().members).toMatchObject([{ groupInstanceId: "restarted", isRunning: true }]);
    expect(rebalances.entries).toHaveLength(count);
  });

  it("numbers the members of one process, and close({ leaveGroup: true }) does leave", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    const group = groups.group({ groupInstanceId: "node", members: 2, handler: () => {} });
    await group.start();
    await shared(group, [1, 1]);
    expect(group.health().members.map(({ groupInstanceId }) => groupInstanceId)).toEqual(["node-1", "node-2"]);
    await group.close({ leaveGroup: true });
    const next = groups.group({ handler: () => {} });
    await next.start();
    await shared(next, [2]);
  });
});

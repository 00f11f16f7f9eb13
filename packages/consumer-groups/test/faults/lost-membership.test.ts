import { setTimeout as sleep } from "node:timers/promises";
import type { ObserverEvents } from "@eos/core";
import { FaultInjector } from "@tooling/faults";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { failureOf, numbered, TestGroups, upTo } from "../test-groups.ts";
import { Worker } from "../worker.ts";

describe("a member whose heartbeats get lost", () => {
  it("is told of the loss with onLost, commits nothing of it, and joins again", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(3));
    const faults = new FaultInjector();
    const journal = new Journal<string>();
    const held = new Latch();
    const signals: AbortSignal[] = [];
    const group = groups.group({
      socketFactory: faults.socketFactory,
      sessionTimeoutMs: 1_000,
      handler: async ({ offset }, { signal }) => {
        journal.add(`record ${offset}`);
        if (signals.push(signal) === 1) await held.opened;
      },
      onAssigned: () => journal.add("assigned"),
      onRevoked: () => journal.add("revoked"),
      onLost: async (_partitions, error) => {
        await sleep(50);
        journal.add(`lost: ${(error as Error & { code: string }).code}`);
      },
    });
    await group.start();
    await journal.until((entries) => entries.includes("record 0"));
    const silence = faults.arm({ api: "Heartbeat", on: "request", action: "drop", times: Number.POSITIVE_INFINITY });
    await journal.until((entries) => entries.some((entry) => entry.startsWith("lost")));
    expect(signals[0]?.aborted).toBe(true);
    expect(await groups.committed()).toBe(-1);
    silence.disarm();
    // What it was lost with may end whenever it likes.
    held.open();
    await groups.untilCommitted(3);
    const handled = upTo(3).map((offset) => `record ${offset}`);
    expect(journal.entries).toEqual(["assigned", "record 0", "lost: EOS_GROUP_LOST", "assigned", ...handled]);
  });
});

describe("an onRevoked that does not return", () => {
  it("is followed by onLost in the end, and holds up the group no longer", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    const hooks = new Journal<string>();
    const never = new Promise<never>(() => {});
    const group = groups.group({
      revokeTimeoutMs: 300,
      rebalanceTimeoutMs: 1_500,
      handler: () => {},
      onAssigned: () => hooks.add("assigned"),
      onRevoked: () => {
        const isFirst = !hooks.entries.includes("revoking");
        hooks.add("revoking");
        return isFirst ? never : undefined;
      },
      onLost: () => hooks.add("lost"),
    });
    await group.start();
    await hooks.reached(1);
    const assigned = new Latch();
    await groups.group({ handler: () => {}, onAssigned: () => assigned.open() }).start();
    await assigned.opened;
    await hooks.until((entries) => entries.length === 4);
    expect(hooks.entries).toEqual(["assigned", "revoking", "lost", "assigned"]);
  });
});

describe("a stale owner", () => {
  it("has its commit refused, which is reported; the offset of the owner after it stays", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(2));
    const faults = new FaultInjector();
    const refusals = new Journal<ObserverEvents["commitRefused"]>();
    const generations: number[] = [];
    const lost = new Latch();
    const stale = groups.group({
      socketFactory: faults.socketFactory,
      sessionTimeoutMs: 1_000,
      handler: () => {},
      onAssigned: (_partitions, { generationId }) => void generations.push(generationId),
      onLost: () => lost.open(),
      observer: { commitRefused: refusals.add },
    });
    const late = faults.arm({ api: "OffsetCommit", on: "request", action: "hold" });
    await stale.start();
    await late.struck;
    // It does not get through to the coordinator any more, but for that one request later on.
    for (const api of ["Heartbeat", "JoinGroup"] as const) {
      faults.arm({ api, on: "request", action: "drop", times: Number.POSITIVE_INFINITY });
    }
    await lost.opened;
    const seen = new Journal<number>();
    const owner = groups.group({ handler: ({ offset }) => seen.add(offset) });
    await owner.start();
    await groups.untilCommitted(2);
    await groups.write(numbered(3));
    await groups.untilCommitted(5);
    // The commit of 2, under the generation that is over.
    await late.release();
    await refusals.reached(1);
    expect(refusals.entries).toMatchObject([
      {
        groupId: groups.groupId,
        generationId: generations[0],
        partitions: [groups.partition()],
        error: { code: "EOS_BROKER", kafkaCode: 25 },
      },
    ]);
    expect(stale.metrics()).toMatchObject({ commitRefusedTotal: 1, commitTotal: 0 });
    expect(await groups.committed()).toBe(5);
    expect(seen.entries).toEqual(upTo(5));
  });

  it("that was frozen past its session gives everything up when it wakes; its records were handled by the next", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    await using zombie = new Worker(groups, { commit: "record", handlerMs: 300, sessionTimeoutMs: 1_000 });
    await zombie.reported(({ event }) => event === "handling");
    zombie.freeze();
    const seen = new Journal<number>();
    const other = groups.group({ handler: ({ offset }) => seen.add(offset) });
    await other.start();
    // The group waits for the frozen member until its session has run out.
    await groups.untilCommitted(5);
    const from = zombie.journal.entries.length;
    zombie.thaw();
    await zombie.reported(({ event }) => event === "refused" || event === "lost", from);
    await zombie.reported(({ event }) => event === "assigned", from);
    expect(await groups.committed()).toBe(5);
    // Whatever it had not committed was handled again, from the first such record on.
    const first = seen.entries[0] ?? -1;
    expect(seen.entries).toEqual(upTo(5 - first, first));
    expect(first).toBeLessThanOrEqual(zombie.offsets("handled").length);
  });
});

describe("two groups with one static id", () => {
  it("the one that joined first is fenced, says so and stops; the other has the partitions", async () => {
    await using groups = await TestGroups.create();
    const first = groups.group({ groupInstanceId: "twin", handler: () => {} });
    const assigned = new Latch();
    first.observe({ rebalanced: () => assigned.open() });
    await first.start();
    await assigned.opened;
    const seen = new Journal<number>();
    const second = groups.group({ groupInstanceId: "twin", handler: ({ offset }) => seen.add(offset) });
    await second.start();
    expect(await failureOf(first)).toMatchObject({
      code: "EOS_FENCED_INSTANCE_ID",
      severity: "fatal",
      message: expect.stringContaining("FENCED_INSTANCE_ID") as string,
    });
    expect(first.health()).toMatchObject({ state: "ERROR", isLive: false });
    await groups.write(numbered(3));
    await seen.reached(3);
    expect(second.state).toBe("RUNNING");
  });
});

describe("a connection that breaks", () => {
  it("costs neither a record nor a rebalance, whatever it carried", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    const faults = new FaultInjector();
    const rebalances = new Journal<ObserverEvents["rebalanced"]>();
    const seen = new Journal<number>();
    const group = groups.group({
      socketFactory: faults.socketFactory,
      commit: "record",
      handler: ({ partition }) => seen.add(partition),
      observer: { rebalanced: rebalances.add },
    });
    await group.start();
    await groups.write(numbered(1));
    await seen.reached(1);
    const lostRequest = faults.arm({ api: "OffsetCommit", on: "request", action: "hang-up" });
    await groups.write(numbered(1));
    await lostRequest.struck;
    await groups.untilCommitted(2);
    const lostAnswer = faults.arm({ api: "OffsetCommit", on: "response", action: "hang-up" });
    const lostFetch = faults.arm({ api: "Fetch", on: "response", action: "hang-up" });
    await groups.write(numbered(20));
    await Promise.all([lostAnswer.struck, lostFetch.struck]);
    await groups.untilCommitted(22);
    faults.hangUp();
    for (const partition of [0, 1]) await groups.write(numbered(10, { partition }));
    await groups.untilCommitted(32, 0);
    await groups.untilCommitted(10, 1);
    expect(seen.entries).toHaveLength(42);
    expect(rebalances.entries).toHaveLength(1);
    expect(group.metrics()).toMatchObject({ commitRefusedTotal: 0, memberFailedTotal: 0 });
  });
});

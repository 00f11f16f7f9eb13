import { setTimeout as sleep } from "node:timers/promises";
import type { ObserverEvents } from "@eos/core";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { failureOf, numbered, TestGroups, type TextRecord, upTo } from "../test-groups.ts";

describe("a handler that never settles", () => {
  it("gets its signal after maxPollIntervalMs, the error names the record, and a new member goes on with it", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(5, { partition }));
    const seen = new Journal<TextRecord>();
    const failures = new Journal<ObserverEvents["memberFailed"]>();
    const late = new Latch();
    const aborted = new Journal<unknown>();
    const group = groups.group({
      maxPollIntervalMs: 500,
      handler: async (record, { signal }) => {
        seen.add(record);
        const isFirst = seen.entries.filter((r) => r.partition === 0 && r.offset === 2).length === 1;
        if (record.partition !== 0 || record.offset !== 2 || !isFirst) return;
        signal.addEventListener("abort", () => aborted.add(signal.reason));
        await late.opened;
      },
      observer: { memberFailed: failures.add },
    });
    await group.start();
    await failures.reached(1);
    expect(failures.entries).toMatchObject([
      {
        willBeReplaced: true,
        error: {
          code: "EOS_MAX_POLL_INTERVAL",
          record: { ...groups.partition(), offset: 2 },
          message: expect.stringContaining(`${groups.topic}-0@2 within maxPollIntervalMs (500 ms)`) as string,
        },
      },
    ]);
    expect(aborted.entries).toMatchObject([{ code: "EOS_MAX_POLL_INTERVAL" }]);
    expect(group.state).toBe("REBALANCING");
    // Not even its late success counts: the record was given to the replacement.
    late.open();
    for (const partition of [0, 1]) await groups.untilCommitted(5, partition);
    const offsets = (partition: number) =>
      seen.entries.filter((record) => record.partition === partition).map(({ offset }) => offset);
    expect(offsets(0)).toEqual([0, 1, 2, 2, 3, 4]);
    expect(offsets(1)).toEqual(upTo(5));
    expect(group.state).toBe("RUNNING");
    expect(group.metrics()).toMatchObject({ memberFailedTotal: 1, recordsConsumedTotal: 10 });
  });

  it("gives its partition to another process's member, which goes on at once", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(3, { partition }));
    const stuckIn = new Journal<number>();
    const never = new Latch();
    const stuck = groups.group({
      maxPollIntervalMs: 500,
      onMemberFailure: "stop",
      handler: async ({ partition }) => {
        stuckIn.add(partition);
        await never.opened;
      },
    });
    await stuck.start();
    await stuckIn.reached(2);
    const seen = new Journal<TextRecord>();
    const other = groups.group({ handler: seen.add });
    await other.start();
    expect(await failureOf(stuck)).toMatchObject({ code: "EOS_MAX_POLL_INTERVAL", severity: "abortable" });
    for (const partition of [0, 1]) await groups.untilCommitted(3, partition);
    expect(seen.entries).toHaveLength(6);
    expect(stuck.health()).toMatchObject({ state: "ERROR", isLive: false });
  });

  it("is found among batches too", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const seen = new Journal<number>();
    const group = groups.group({
      maxPollIntervalMs: 300,
      batchHandler: async ({ records }) => {
        seen.add(records.length);
        if (seen.entries.length === 1) await new Promise(() => {});
      },
    });
    await group.start();
    await groups.untilCommitted(5);
    expect(group.metrics().memberFailedTotal).toBe(1);
  });

  it.for(["onError", "deadLetter"] as const)("is treated alike when it is %s that does not settle", async (culprit) => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(3));
    const failures = new Journal<ObserverEvents["memberFailed"]>();
    const never = new Promise<never>(() => {});
    const group = groups.group({
      maxPollIntervalMs: 300,
      handler: ({ offset }) => {
        if (offset === 1 && failures.entries.length === 0) throw new Error("broken");
      },
      onError: () => (culprit === "onError" ? never : "dead-letter"),
      deadLetter: { send: () => never },
      observer: { memberFailed: failures.add },
    });
    await group.start();
    await groups.untilCommitted(3);
    expect(failures.entries).toMatchObject([{ error: { code: "EOS_MAX_POLL_INTERVAL", record: { offset: 1 } } }]);
    expect(group.metrics()).toMatchObject({ recordsDeadLetteredTotal: 0, recordsConsumedTotal: 3 });
  });

  it("does not keep the group from closing", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const begun = new Latch();
    let signal: AbortSignal | undefined;
    const group = groups.group({
      handler: (_record, context) => {
        ({ signal } = context);
        begun.open();
        return new Promise(() => {});
      },
    });
    await group.start();
    await begun.opened;
    const startedMs = performance.now();
    await group.close({ timeoutMs: 1_000 });
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    expect(signal?.aborted).toBe(true);
    expect(group.state).toBe("NOT_RUNNING");
    expect(await groups.committed()).toBe(-1);
  });
});

describe("a handler that takes longer than the session", () => {
  it("causes no rebalance: heartbeats go on", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(2));
    const rebalances = new Journal<ObserverEvents["rebalanced"]>();
    const attempts = new Journal<number>();
    const lost: unknown[] = [];
    const group = groups.group({
      sessionTimeoutMs: 800,
      handler: async ({ offset }) => {
        attempts.add(offset);
        await sleep(1_600);
      },
      onLost: (_partitions, error) => void lost.push(error),
      observer: { rebalanced: rebalances.add },
    });
    await group.start();
    await groups.untilCommitted(2);
    expect(attempts.entries).toEqual([0, 1]);
    expect(rebalances.entries).toHaveLength(1);
    expect(lost).toEqual([]);
  });
});

import type { GroupHealth, GroupLag, GroupMetricsSnapshot, LagListener, LagWatchOptions } from "@eos/consumer-groups";
import { type Clock, EosError, systemClock } from "@eos/core";
import { describe, expect, it } from "vitest";
import { GroupWatch, type WatchedGroup } from "./group-watch.ts";

/** A group that is told what to answer. */
class FakeGroup implements WatchedGroup {
  readonly state = "RUNNING";
  consumed = 0;
  assigned: readonly (readonly number[])[] = [];
  listener: LagListener = () => {};
  options: LagWatchOptions = {};
  isWatched = false;

  health(): GroupHealth {
    const members = this.assigned.map((partitions) => ({
      memberId: null,
      groupInstanceId: null,
      isRunning: true,
      assigned: partitions.map((partition) => ({ topic: "in", partition })),
      sinceLastHeartbeatMs: 0,
    }));
    return { state: this.state, isLive: true, isReady: true, members, paused: [], error: null };
  }

  metrics(): GroupMetricsSnapshot {
    const known = { recordsConsumedTotal: this.consumed, recordsSkippedTotal: 3, recordsFailedTotal: 4 };
    return known as GroupMetricsSnapshot;
  }

  watchLag(listener: LagListener, options: LagWatchOptions = {}): () => void {
    Object.assign(this, { listener, options, isWatched: true });
    return () => {
      this.isWatched = false;
    };
  }
}

interface Watched {
  readonly group: FakeGroup;
  readonly watch: GroupWatch;
  readonly time: { nowMs: number };
}

function create(): Watched {
  const [group, time] = [new FakeGroup(), { nowMs: 0 }];
  const clock: Clock = { ...systemClock, monotonicMs: () => time.nowMs };
  const names = { groupId: "g", input: "in", output: "out", processId: 7 };
  const watch = new GroupWatch({ ...names, group, clock, alerts: () => 5, lagIntervalMs: 1_000 });
  return { group, watch, time };
}

function lagOf(...offsets: readonly (number | null)[]): GroupLag {
  const partitions = offsets.map((offset, partition) => ({
    topic: "in",
    partition,
    offset,
    endOffset: 1_000,
    records: 1_000 - (offset ?? 0),
    seconds: 1,
    state: "OK" as const,
  }));
  const records = partitions.reduce((sum, of) => sum + of.records, 0);
  return { timeMs: 0, records, maxRecords: 1_000, maxSeconds: null, state: "WARN", partitions };
}

describe("GroupWatch", () => {
  it("sums up what the group has done, and how fast", () => {
    const { group, watch, time } = create();
    group.consumed = 500;
    group.assigned = [[0], []];
    time.nowMs = 2_000;
    expect(watch.view()).toEqual({
      groupId: "g",
      input: "in",
      output: "out",
      processId: 7,
      state: "RUNNING",
      members: 2,
      flights: 500,
      flightsPerSecond: 250,
      alerts: 5,
      skipped: 3,
      failed: 4,
      lag: null,
      lagProblem: null,
    });
  });

  it("shows the lag of each partition, its member here, and how fast it is committed", () => {
    const { group, watch, time } = create();
    watch.start();
    group.assigned = [[2], [0]];
    group.listener(lagOf(100, null, 900));
    time.nowMs = 2_000;
    group.listener(lagOf(300, null, 900));
    time.nowMs = 2_500;
    const { lag } = watch.view();
    expect(lag).toMatchObject({ ageMs: 500, state: "WARN", records: 1_800, seconds: null });
    expect(lag?.partitions).toEqual([
      { partition: 0, member: 2, state: "OK", records: 700, seconds: 1, perSecond: 100 },
      { partition: 1, member: null, state: "OK", records: 1_000, seconds: 1, perSecond: null },
      { partition: 2, member: 1, state: "OK", records: 100, seconds: 1, perSecond: 0 },
    ]);
  });

  it("keeps the last lag, and says why there is no newer one, until there is", () => {
    const { group, watch, time } = create();
    watch.start();
    group.listener(lagOf(1));
    time.nowMs = 9_000;
    group.options.onError?.(new EosError("nobody answers", { code: "EOS_CONNECTION", severity: "retriable" }));
    expect(watch.view()).toMatchObject({ lagProblem: "EOS_CONNECTION: nobody answers", lag: { ageMs: 9_000 } });
    group.listener(lagOf(2));
    expect(watch.view()).toMatchObject({ lagProblem: null, lag: { ageMs: 0 } });
  });

  it("samples as often as it was told to, until it is ended", () => {
    const { group, watch } = create();
    const stop = watch.start();
    expect(group.options.intervalMs).toBe(1_000);
    stop();
    expect(group.isWatched).toBe(false);
  });
});

import type { LifecycleState, Observer, ObserverEvents } from "@eos/core";
import { take } from "rxjs";
import { describe, expect, test, vi } from "vitest";
import type { GroupLag } from "../lag/group-lag.ts";
import { lag$, rebalances$, state$ } from "./group-streams.ts";

const LAG: GroupLag = { timeMs: 0, records: 3, maxRecords: 3, maxSeconds: null, state: "OK", partitions: [] };

/** A group that does what a test tells it to; it counts who watches. */
function createGroup(state: LifecycleState = "CREATED") {
  const observers = new Set<Observer>();
  const listeners = new Set<(lag: GroupLag) => void>();
  const group = {
    state,
    observe(observer: Observer) {
      observers.add(observer);
      return () => void observers.delete(observer);
    },
    watchLag: vi.fn((listener: (lag: GroupLag) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    }),
  };
  return {
    group,
    become(next: LifecycleState) {
      const previous = group.state;
      group.state = next;
      for (const observer of observers) observer.stateChanged?.({ name: "the group", next, previous });
    },
    rebalanced(event: ObserverEvents["rebalanced"]) {
      for (const observer of observers) observer.rebalanced?.(event);
    },
    memberBecame(next: string) {
      for (const observer of observers) observer.stateChanged?.({ name: "member 1", next, previous: "JOINING" });
    },
    measured(lag: GroupLag) {
      for (const listener of listeners) listener(lag);
    },
    watchers: () => observers.size + listeners.size,
  };
}

describe("lag$", () => {
  test("passes every sample on, and watches only while it is subscribed to", () => {
    const { group, measured, watchers } = createGroup();
    const seen: GroupLag[] = [];
    const stream = lag$(group);
    expect(watchers()).toBe(0);
    const subscription = stream.subscribe((lag) => seen.push(lag));
    measured(LAG);
    measured({ ...LAG, records: 2 });
    subscription.unsubscribe();
    measured({ ...LAG, records: 1 });
    expect(seen.map(({ records }) => records)).toEqual([3, 2]);
    expect(watchers()).toBe(0);
  });

  test("hands its options on", () => {
    const { group } = createGroup();
    const options = { intervalMs: 250, onError: () => {} };
    lag$(group, options).subscribe().unsubscribe();
    expect(group.watchLag).toHaveBeenCalledWith(expect.any(Function), options);
  });

  test("refuses a wrong option when it is made, not when it is subscribed to", () => {
    const { group } = createGroup();
    expect(() => lag$(group, { intervalMs: -1 })).toThrow(TypeError);
    expect(() => lag$(group, { interval: 5 } as object)).toThrow('did you mean "intervalMs"?');
  });
});

test("rebalances$ passes rebalances on, to everybody who is subscribed", () => {
  const { group, rebalanced, watchers } = createGroup();
  const event = { groupId: "g", generationId: 1, durationMs: 5, assigned: [], revoked: [] };
  const seen: unknown[] = [];
  const subscriptions = [1, 2].map((who) =>
    rebalances$(group).subscribe(({ generationId }) => seen.push([who, generationId])),
  );
  rebalanced(event);
  subscriptions[0]?.unsubscribe();
  rebalanced({ ...event, generationId: 2 });
  subscriptions[1]?.unsubscribe();
  expect(seen).toEqual([
    [1, 1],
    [2, 1],
    [2, 2],
  ]);
  expect(watchers()).toBe(0);
});

describe("state$", () => {
  test("begins with the present state, also for who comes later", () => {
    const { group, become, watchers } = createGroup();
    const seen: string[] = [];
    const subscription = state$(group).subscribe((state) => seen.push(state));
    become("RUNNING");
    const late: string[] = [];
    state$(group)
      .pipe(take(1))
      .subscribe((state) => late.push(state));
    become("NOT_RUNNING");
    expect([seen, late]).toEqual([["CREATED", "RUNNING", "NOT_RUNNING"], ["RUNNING"]]);
    subscription.unsubscribe();
    expect(watchers()).toBe(0);
  });

  test("says nothing of states that are not the group's, nor one twice", () => {
    const { group, become, memberBecame } = createGroup();
    const seen: string[] = [];
    const subscription = state$(group).subscribe((state) => seen.push(state));
    memberBecame("STABLE");
    become("REBALANCING");
    memberBecame("STABLE");
    become("REBALANCING");
    expect(seen).toEqual(["CREATED", "REBALANCING"]);
    subscription.unsubscribe();
  });

  test("misses no change that its subscriber makes on hearing the present state", () => {
    const { group, become } = createGroup();
    const seen: string[] = [];
    const subscription = state$(group).subscribe((state) => {
      seen.push(state);
      if (state === "CREATED") become("REBALANCING");
    });
    expect(seen).toEqual(["CREATED", "REBALANCING"]);
    subscription.unsubscribe();
  });
});

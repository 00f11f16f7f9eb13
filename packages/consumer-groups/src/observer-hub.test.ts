import type { Observer, ObserverEvents } from "@eos/core";
import { describe, expect, it } from "vitest";
import { ObserverHub } from "./observer-hub.ts";

const SKIPPED = { topic: "in", partition: 0, offset: 1, error: "broken" };
const EVENTS: { readonly [E in keyof ObserverHub["observer"]]: ObserverEvents[E] } = {
  stateChanged: { name: "g", next: "RUNNING", previous: "REBALANCING" },
  rebalanced: { groupId: "g", generationId: 1, durationMs: 2, assigned: [], revoked: [] },
  offsetsCommitted: { groupId: "g", memberId: "m", durationMs: 1, offsets: [] },
  commitRefused: { groupId: "g", memberId: "m", generationId: 1, partitions: [], error: "stale" },
  memberFailed: { groupId: "g", error: new Error("stuck"), willBeReplaced: true },
  recordSkipped: SKIPPED,
};

describe("ObserverHub", () => {
  it("tells everybody of every event", () => {
    const hub = new ObserverHub();
    const seen: unknown[] = [];
    const names = Object.keys(EVENTS) as (keyof ObserverEvents)[];
    hub.add(Object.fromEntries(names.map((name) => [name, (event: unknown) => seen.push([name, event])])));
    for (const name of names) (hub.observer[name] as (event: unknown) => void)(EVENTS[name]);
    expect(seen).toEqual(Object.entries(EVENTS));
  });

  it("tells an observer no more once it has been taken off, though it was added twice", () => {
    const hub = new ObserverHub();
    let told = 0;
    const observer: Observer = { recordSkipped: () => told++ };
    const ends = [hub.add(observer), hub.add(observer)];
    hub.observer.recordSkipped?.(SKIPPED);
    expect(told).toBe(2);
    ends[0]?.();
    ends[0]?.();
    hub.observer.recordSkipped?.(SKIPPED);
    expect(told).toBe(3);
    ends[1]?.();
    hub.observer.recordSkipped?.(SKIPPED);
    expect(told).toBe(3);
  });

  it("calls the methods of an observer that is an instance of a class, on that instance", () => {
    class Counter implements Observer {
      #skipped = 0;

      get skipped(): number {
        return this.#skipped;
      }

      recordSkipped(): void {
        this.#skipped++;
      }
    }
    const hub = new ObserverHub();
    const counter = new Counter();
    hub.add(counter);
    hub.observer.recordSkipped?.(SKIPPED);
    expect(counter.skipped).toBe(1);
  });
});

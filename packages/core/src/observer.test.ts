import { describe, expect, it } from "vitest";
import { notify } from "./observer.ts";
import type { Observer, ObserverEvents } from "./observer.ts";

const change: ObserverEvents["stateChanged"] = { name: "task 0_0", next: "running", previous: "created" };

describe("notify", () => {
  it("hands the event to the callback of its name only", () => {
    const seen: unknown[] = [];
    const observer: Observer = {
      stateChanged: (event) => seen.push(event),
      producerFenced: () => seen.push("wrong"),
    };
    notify(observer, "stateChanged", change);
    expect(seen).toEqual([change]);
  });

  it("does nothing without an observer or without a callback", () => {
    notify(undefined, "stateChanged", change);
    notify({}, "stateChanged", change);
  });

  it("keeps the observer as the receiver, so that a class can be one", () => {
    class Counter {
      count = 0;
      stateChanged(): void {
        this.count += 1;
      }
    }
    const counter = new Counter();
    notify(counter, "stateChanged", change);
    expect(counter.count).toBe(1);
  });

  it("never throws", () => {
    const observer: Observer = {
      stateChanged: () => {
        throw new Error("observer bug");
      },
    };
    expect(() => notify(observer, "stateChanged", change)).not.toThrow();
  });
});

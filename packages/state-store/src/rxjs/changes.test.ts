import { expect, it } from "vitest";
import type { StoreChange } from "../store-builder.ts";
import { changes$ } from "./changes.ts";

it("passes changes on to everybody who is subscribed, and watches for as long as somebody is", () => {
  const listeners = new Set<(change: StoreChange<string, number>) => void>();
  const store = {
    onChange(listener: (change: StoreChange<string, number>) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const seen: unknown[] = [];
  const stream = changes$(store);
  expect(listeners.size).toBe(0);
  const subscriptions = [1, 2].map((who) => stream.subscribe(({ key, value }) => seen.push([who, key, value])));
  for (const listener of listeners) listener({ partition: 0, key: "JFK-LAX", value: 3, timestamp: 1 });
  subscriptions[0]?.unsubscribe();
  for (const listener of listeners) listener({ partition: 0, key: "JFK-LAX", value: null, timestamp: 2 });
  subscriptions[1]?.unsubscribe();
  expect(seen).toEqual([
    [1, "JFK-LAX", 3],
    [2, "JFK-LAX", 3],
    [2, "JFK-LAX", null],
  ]);
  expect(listeners.size).toBe(0);
});

import type { Clock } from "@eos/core";
import { expect, test } from "vitest";
import { Patience } from "./patience.ts";

test("pauses grow, and end with the error when the time is up", async () => {
  let nowMs = 0;
  const pauses: number[] = [];
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms) => {
      pauses.push(ms);
      nowMs += ms;
      return Promise.resolve();
    },
  };
  const patience = new Patience(clock, 1_000);
  const error = new Error("still not");
  const waiting = async () => {
    for (;;) await patience.pause(error);
  };
  await expect(waiting()).rejects.toBe(error);
  expect(pauses.length).toBeGreaterThanOrEqual(4);
  expect(pauses[0]).toBeLessThan(121);
  expect(pauses[1]).toBeGreaterThan(159);
});

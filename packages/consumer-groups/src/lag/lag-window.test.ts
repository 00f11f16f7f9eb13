import { describe, expect, test } from "vitest";
import { type LagReading, LagWindow } from "./lag-window.ts";

const INTERVAL_MS = 5_000;

/** A window of four, one reading every five seconds; what a step leaves out stays as it was. */
function createWindow() {
  const window = new LagWindow(4);
  let reading: LagReading = { timeMs: 0, position: "committed", offset: 0, metadata: null, endOffset: 10 };
  return (change: Partial<LagReading> = {}) => {
    reading = { ...reading, timeMs: reading.timeMs + INTERVAL_MS, ...change };
    window.add(reading);
    return { state: window.state(reading.timeMs), seconds: window.seconds(reading.timeMs) };
  };
}

describe("LagWindow", () => {
  test("A group that commits nothing has stopped, as soon as the window is whole.", () => {
    const read = createWindow();
    expect([read(), read(), read(), read()].map(({ state }) => state)).toEqual(["OK", "OK", "OK", "STOP"]);
  });

  test("A group that stops has stopped after half a window at the earliest, and after a whole one at the latest.", () => {
    const read = createWindow();
    for (let offset = 1; offset <= 4; offset++) read({ offset, endOffset: offset + 10 });
    const states = [read(), read(), read(), read()].map(({ state }) => state);
    expect(states).toEqual(["WARN", "STOP", "STOP", "STOP"]);
  });

  test("Other metadata at the same offset is a commit: a record is stuck while others go on.", () => {
    const read = createWindow();
    for (let i = 0; i < 8; i++) read({ metadata: `completed beyond the gap: ${i}`, endOffset: 10 + i });
    expect(read({ metadata: "more" }).state).toBe("STALL");
  });

  test("What left the window does not count: a lag of 0 excuses nothing for ever.", () => {
    const read = createWindow();
    read({ endOffset: 0 });
    const states = [1, 2, 3, 4].map((i) => read({ offset: i, endOffset: i + 10 }).state);
    expect(states).toEqual(["OK", "OK", "OK", "WARN"]);
  });

  test("Readings in quick succession count as one, the newest, so that a loop does not shrink the window.", () => {
    const read = createWindow();
    let timeMs = 0;
    const states = Array.from({ length: 29 }, () => read({ timeMs: (timeMs += 100) }).state);
    expect(new Set(states)).toEqual(new Set(["OK"]));
    while (timeMs < 3_000) read({ timeMs: (timeMs += 100) });
    expect(read({ timeMs: 3_100 }).state).toBe("STOP");
    expect(read({ timeMs: 3_150, offset: 10 }).state).toBe("OK");
  });

  test("The first commit may lie below the end from which the group was thought to begin.", () => {
    const read = createWindow();
    read({ position: "assumed", offset: 100, endOffset: 100 });
    read({ position: "assumed", offset: 150, endOffset: 150 });
    expect(read({ position: "committed", offset: 120, endOffset: 150 }).state).toBe("OK");
    expect(read({ offset: 110 }).state).toBe("REWIND");
  });

  test("The age reaches back beyond the window.", () => {
    const read = createWindow();
    expect(read({ offset: 10 }).seconds).toBe(0);
    for (let i = 1; i < 100; i++) read({ endOffset: 10 + i });
    expect(read().seconds).toBe((100 * INTERVAL_MS) / 1_000);
  });

  test("Before any reading nothing is known.", () => {
    const window = new LagWindow(4);
    expect([window.state(0), window.seconds(0)]).toEqual(["OK", null]);
  });
});

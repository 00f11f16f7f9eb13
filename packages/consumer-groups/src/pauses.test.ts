import { formatTopicPartition } from "@eos/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pauses } from "./pauses.ts";

const A = { topic: "in", partition: 0 };
const B = { topic: "in", partition: 1 };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const expired: string[] = [];
  return { pauses: new Pauses((partition) => expired.push(formatTopicPartition(partition))), expired };
}

describe("Pauses", () => {
  it("knows which partitions are paused, and why", () => {
    const { pauses } = setUp();
    pauses.add(A, { reason: "the database is down" });
    pauses.add(B, {});
    expect(pauses.partitions).toEqual([
      { ...A, reason: "the database is down" },
      { ...B, reason: null },
    ]);
    expect([pauses.delete(B), pauses.delete(B), pauses.has(A), pauses.has(B)]).toEqual([true, false, true, false]);
  });

  it("ends a pause by itself when its time is up, and says so once", () => {
    const { pauses, expired } = setUp();
    pauses.add(A, { forMs: 1_000 });
    pauses.add(B, {});
    vi.advanceTimersByTime(999);
    expect(pauses.has(A)).toBe(true);
    vi.advanceTimersByTime(1);
    expect([pauses.has(A), pauses.has(B)]).toEqual([false, true]);
    expect(expired).toEqual(["in-0"]);
  });

  it("replaces a pause by a second one, its time and reason too", () => {
    const { pauses, expired } = setUp();
    pauses.add(A, { forMs: 1_000, reason: "first" });
    pauses.add(A, { forMs: 5_000, reason: "second" });
    vi.advanceTimersByTime(4_999);
    expect(pauses.partitions).toEqual([{ ...A, reason: "second" }]);
    pauses.add(A, {});
    vi.advanceTimersByTime(100_000);
    expect(pauses.has(A)).toBe(true);
    expect(expired).toEqual([]);
  });

  it("leaves no timer behind", () => {
    const { pauses } = setUp();
    for (const partition of [A, B]) pauses.add(partition, { forMs: 1_000 });
    pauses.delete(A);
    pauses.clear();
    expect(vi.getTimerCount()).toBe(0);
    expect(pauses.partitions).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31])("refuses to pause for %s ms: a timer would fire at once", (forMs) => {
    const { pauses } = setUp();
    expect(() => pauses.add(A, { forMs })).toThrow(/pause: option "forMs" must be an integer from 1 to 2147483647/);
    expect(pauses.has(A)).toBe(false);
  });
});

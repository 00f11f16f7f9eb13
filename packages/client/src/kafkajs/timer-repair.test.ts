import { afterEach, expect, test, vi } from "vitest";
import type { KafkajsRequestQueue } from "./internals.ts";
import { repairTimers } from "./timer-repair.ts";

afterEach(() => void vi.useRealTimers());

function createQueue(pending: unknown[], throttledUntil: number) {
  let checks = 0;
  const queue = {
    pending,
    throttledUntil,
    throttleCheckTimeoutId: null,
    checkPendingRequests: () => {
      checks++;
      queue.scheduleCheckPendingRequests();
    },
    scheduleCheckPendingRequests: () => {},
  } as unknown as KafkajsRequestQueue;
  repairTimers(queue);
  return { queue, checks: () => checks };
}

test("nothing is armed while nothing waits", () => {
  vi.useFakeTimers();
  const { queue } = createQueue([], -1);
  queue.scheduleCheckPendingRequests();
  expect(vi.getTimerCount()).toBe(0);
});

test("a throttled request is looked at when its throttle ends, once", () => {
  vi.useFakeTimers({ now: 1_000 });
  const pending: unknown[] = [{}];
  const { queue, checks } = createQueue(pending, 1_500);
  queue.scheduleCheckPendingRequests();
  queue.scheduleCheckPendingRequests();
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(499);
  expect(checks()).toBe(0);
  pending.length = 0;
  vi.advanceTimersByTime(1);
  expect(checks()).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

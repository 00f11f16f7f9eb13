import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "./clock.ts";

describe("systemClock", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_700_000_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it("tells the time in milliseconds", async () => {
    const before = systemClock.monotonicMs();
    expect(systemClock.now()).toBe(1_700_000_000_000);
    await vi.advanceTimersByTimeAsync(250);
    expect(systemClock.now()).toBe(1_700_000_000_250);
    expect(systemClock.monotonicMs() - before).toBeCloseTo(250);
  });

  it("sleeps as long as told and leaves nothing on the signal", async () => {
    const { signal } = new AbortController();
    const done = vi.fn();
    void systemClock.sleep(100, signal).then(done);
    await vi.advanceTimersByTimeAsync(99);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalled();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("rejects with the signal's reason and stops its timer", async () => {
    const controller = new AbortController();
    const sleep = systemClock.sleep(100, controller.signal);
    const reason = new Error("closing");
    controller.abort(reason);
    await expect(sleep).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects at once when the signal has aborted already", async () => {
    await expect(systemClock.sleep(100, AbortSignal.abort("done"))).rejects.toBe("done");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sleeps longer than a timer of Node can", async () => {
    const thirtyDaysMs = 30 * 86_400_000;
    const done = vi.fn();
    void systemClock.sleep(thirtyDaysMs).then(done);
    await vi.advanceTimersByTimeAsync(thirtyDaysMs - 1);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalled();
  });
});

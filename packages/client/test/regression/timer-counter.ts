import { vi } from "vitest";

export interface TimersSet {
  readonly count: number;
  /** Those with a negative timeout, which Node 24 warns about. */
  readonly negative: number;
}

/** Counts the timers that are set in this process while `work` runs. */
export async function timersDuring(work: () => Promise<void>): Promise<TimersSet> {
  const setTimeoutSpy = vi.spyOn(globalThis, "setTimeout");
  try {
    await work();
    const delays = setTimeoutSpy.mock.calls.map(([, delayMs]) => delayMs ?? 0);
    return { count: delays.length, negative: delays.filter((delayMs) => delayMs < 0).length };
  } finally {
    setTimeoutSpy.mockRestore();
  }
}

/** Nothing happens for a second. Its own timer is made before anybody counts. */
export function idleSecond(): () => Promise<void> {
  const { setTimeout: original } = globalThis;
  return () =>
    new Promise((resolve) => {
      original(resolve, 1_000);
    });
}

/** Time as an argument, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. It may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds since some fixed moment. It never goes back: use it for durations. */
  monotonicMs(): number;
  /**
   * Resolves after `ms` milliseconds. When the signal aborts first, or has aborted already, it rejects with the
   * signal's reason.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node fires a longer timeout after 1 ms instead. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's clocks and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    let restMs = ms;
    for (; restMs > MAX_TIMEOUT_MS; restMs -= MAX_TIMEOUT_MS) await timeout(MAX_TIMEOUT_MS, signal);
    await timeout(restMs, signal);
  },
};

function timeout(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      // A signal usually outlives the sleep: what stays registered on it is never freed.
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

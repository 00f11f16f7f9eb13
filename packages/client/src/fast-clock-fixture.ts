import type { Clock } from "@eos/core";

/** For tests: a clock on which a sleep takes no time and the time passes all the same. */
export class FastClock implements Clock {
  #ms = 1_000;

  now(): number {
    return this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    // Behind the I/O callbacks, so that a loop which sleeps does not starve what it waits for.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    this.#ms += ms;
  }
}

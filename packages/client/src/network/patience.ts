import type { Clock } from "@eos/core";
import { backoffMs } from "./backoff.ts";

/** Java's `retry.backoff.ms` and `retry.backoff.max.ms`. */
const RETRY_BACKOFF_MS = 100;
const RETRY_BACKOFF_MAX_MS = 1_000;

/** Pauses between attempts, until the time is up. */
export class Patience {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  #attempt = 0;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#deadlineMs = clock.monotonicMs() + timeoutMs;
  }

  /** @throws `error` when the time is up; else resolves when it is time for the next attempt */
  async pause(error: Error, signal?: AbortSignal): Promise<void> {
    if (this.#clock.monotonicMs() >= this.#deadlineMs) throw error;
    await this.#clock.sleep(backoffMs(this.#attempt++, RETRY_BACKOFF_MS, RETRY_BACKOFF_MAX_MS), signal);
  }
}

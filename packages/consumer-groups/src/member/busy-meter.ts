import type { Clock } from "@eos/core";

const WINDOW_MS = 30_000;

/** How much of its time a member has something in hand: Java's `poll-idle-ratio-avg` is the rest. Over the last 30 to 60 seconds. */
export class BusyMeter {
  readonly #clock: Clock;
  #depth = 0;
  /** Since when {@link #busyMs} does not count what it is busy with. */
  #busySinceMs = 0;
  #windowStartMs: number;
  #busyMs = 0;
  /** Of the window before; `null` in the first one. */
  #previousBusyMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#windowStartMs = clock.monotonicMs();
  }

  enter(): void {
    if (this.#depth++ > 0) return;
    const nowMs = this.#clock.monotonicMs();
    this.#roll(nowMs);
    this.#busySinceMs = nowMs;
  }

  leave(): void {
    if (this.#depth === 1) {
      const nowMs = this.#clock.monotonicMs();
      this.#roll(nowMs);
      this.#busyMs += nowMs - this.#busySinceMs;
    }
    this.#depth--;
  }

  /** 1: nothing to do at all; 0: always busy. */
  idleRatio(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#roll(nowMs);
    const sinceMs = this.#depth > 0 ? nowMs - this.#busySinceMs : 0;
    const busyMs = (this.#previousBusyMs ?? 0) + this.#busyMs + sinceMs;
    const durationMs = (this.#previousBusyMs === null ? 0 : WINDOW_MS) + (nowMs - this.#windowStartMs);
    return durationMs <= 0 ? 1 : Math.max(0, 1 - busyMs / durationMs);
  }

  /** A window ends when its time is up, also in the middle of something, and when nothing happens. */
  #roll(nowMs: number): void {
    const windows = Math.floor((nowMs - this.#windowStartMs) / WINDOW_MS);
    if (windows === 0) return;
    const isBusy = this.#depth > 0;
    const endMs = this.#windowStartMs + WINDOW_MS;
    this.#previousBusyMs = isBusy ? this.#busyMs + (endMs - this.#busySinceMs) : this.#busyMs;
    if (windows > 1) this.#previousBusyMs = isBusy ? WINDOW_MS : 0;
    this.#windowStartMs += windows * WINDOW_MS;
    this.#busyMs = 0;
    this.#busySinceMs = this.#windowStartMs;
  }
}

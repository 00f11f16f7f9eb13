const WINDOW_MS = 5_000;

/** How fast something that is counted goes on, over the last five seconds. */
export class Rate {
  readonly #samples: { readonly timeMs: number; readonly count: number }[] = [];

  /** @param timeMs - on a clock that never goes back */
  add(timeMs: number, count: number): void {
    this.#samples.push({ timeMs, count });
    // One sample from before the window stays, so that there is a difference however seldom they come.
    while ((this.#samples[1]?.timeMs ?? timeMs) < timeMs - WINDOW_MS) this.#samples.shift();
  }

  /** `null` before the second sample; 0 when the count went back, as after a seek. */
  get perSecond(): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.timeMs <= first.timeMs) return null;
    return Math.max(0, (1_000 * (last.count - first.count)) / (last.timeMs - first.timeMs));
  }
}

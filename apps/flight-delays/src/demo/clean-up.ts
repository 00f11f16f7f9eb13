/** Thrown to whoever wants to start something after the end has begun. */
class InterruptedError extends Error {}

/** What was started and has to be ended, in the reverse order. */
export class CleanUp {
  readonly #steps: (() => Promise<void>)[] = [];
  readonly #starting = new Set<Promise<unknown>>();
  #isOver = false;

  /**
   * Starts something, and remembers how to end it. One that is still starting when {@link run} is called is ended as
   * soon as it has started: the interruption may come while a broker boots.
   * @throws InterruptedError once {@link run} has been called
   */
  async own<T>(start: () => T | Promise<T>, end: (started: T) => Promise<void>): Promise<T> {
    if (this.#isOver) throw new InterruptedError();
    const starting = Promise.resolve(start());
    this.#starting.add(starting);
    try {
      const started = await starting;
      this.#steps.push(() => end(started));
      if (this.#isOver) throw new InterruptedError();
      return started;
    } finally {
      this.#starting.delete(starting);
    }
  }

  /** Ends everything. A failure does not keep the rest from being ended. @returns the failures */
  async run(): Promise<unknown[]> {
    this.#isOver = true;
    const failures: unknown[] = [];
    await Promise.allSettled(this.#starting);
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      await step().catch((error: unknown) => failures.push(error));
    }
    return failures;
  }
}

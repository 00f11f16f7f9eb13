/** Runs one piece of asynchronous work at a time, in the order they came in. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // Whoever asked hears of the failure; the next one's turn comes nevertheless.
    this.#last = done.catch(() => undefined);
    return done;
  }
}

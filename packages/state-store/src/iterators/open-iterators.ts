import type { StoreMetrics } from "../metrics/store-metrics.ts";
import type { EntryCursor } from "./entry-source.ts";
import { OpenIterator, type ReadEntry, type StoreIterator } from "./store-iterator.ts";

/** The open iterators of one store. */
export class OpenIterators {
  readonly #metrics: StoreMetrics;
  readonly #open = new Set<OpenIterator<unknown>>();

  constructor(metrics: StoreMetrics) {
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#open.size;
  }

  open<T>(cursor: EntryCursor, read: ReadEntry<T>): StoreIterator<T> {
    const mark = this.#metrics.iteratorOpened();
    const iterator = new OpenIterator(cursor, read, () => {
      this.#open.delete(iterator);
      this.#metrics.iteratorClosed(mark);
    });
    this.#open.add(iterator);
    return iterator;
  }

  /** Closes them all; whoever goes on with one gets the error. Those that have ended are left as they are. */
  async invalidate(error: Error): Promise<void> {
    await Promise.all(Array.from(this.#open, (iterator) => iterator.invalidate(error)));
  }
}

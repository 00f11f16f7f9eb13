import type { EngineEntry } from "../engine/store-engine.ts";
import type { EntryCursor } from "./entry-source.ts";

/**
 * Entries of a store, in order, as they were when it was opened. It holds a snapshot of the store until it is closed,
 * which it does by itself at its end, on `break`, and when something throws; whoever calls `next` by hand and stops
 * before the end closes it.
 *
 * `next` rejects with what the store says when the store was closed, or went back to what is committed, in between.
 *
 * ```ts
 * for await (const { key, value } of store.range("a", "b")) …
 * ```
 */
export interface StoreIterator<T> extends AsyncIterableIterator<T, void, void> {
  /** Can be called more than once. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What an entry is to the user; `undefined`: nothing, such as an expired one. It is skipped then. */
export type ReadEntry<T> = (entry: EngineEntry) => T | undefined;

type Result<T> = IteratorResult<T, void>;

export class OpenIterator<T> implements StoreIterator<T> {
  readonly #cursor: EntryCursor;
  readonly #read: ReadEntry<T>;
  readonly #onClosed: () => void;
  /** The last of the calls under way: a cursor is asked one thing at a time. */
  #tail: Promise<unknown> | null = null;
  #closed: Promise<void> | null = null;
  #invalid: Error | null = null;

  constructor(cursor: EntryCursor, read: ReadEntry<T>, onClosed: () => void) {
    this.#cursor = cursor;
    this.#read = read;
    this.#onClosed = onClosed;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  next(): Promise<Result<T>> {
    const step = this.#afterTail(() => this.#step());
    return step instanceof Promise ? this.#asTail(step) : Promise.resolve(step);
  }

  async return(): Promise<Result<T>> {
    await this.close();
    return { done: true, value: undefined };
  }

  close(): Promise<void> {
    return this.#asTail(this.#afterTail(() => this.#close()));
  }

  /** Whoever calls `next` from now on gets the error, and so does a call under way. */
  invalidate(error: Error): Promise<void> {
    this.#invalid = error;
    return this.close();
  }

  #afterTail<R>(call: () => R): R | Promise<Awaited<R>> {
    return this.#tail === null ? call() : (this.#tail.then(call, call) as Promise<Awaited<R>>);
  }

  #asTail<R>(call: Promise<R>): Promise<R> {
    const clear = (): void => {
      if (this.#tail === call) this.#tail = null;
    };
    this.#tail = call;
    call.then(clear, clear);
    return call;
  }

  /** An entry in memory is given without a promise of its own. */
  #step(): Result<T> | Promise<Result<T>> {
    if (this.#closed !== null) return this.#ended();
    try {
      const next = this.#cursor.next();
      if (next === undefined || next instanceof Promise) return this.#search(next);
      const value = this.#read(next);
      return value === undefined ? this.#search(this.#cursor.next()) : { done: false, value };
    } catch (error) {
      return this.#failed(error);
    }
  }

  async #search(first: ReturnType<EntryCursor["next"]>): Promise<Result<T>> {
    try {
      for (let next = first; ; next = this.#cursor.next()) {
        const entry = next instanceof Promise ? await next : next;
        if (entry === undefined || this.#invalid !== null) break;
        const value = this.#read(entry);
        if (value !== undefined) return { done: false, value };
      }
    } catch (error) {
      return this.#failed(error);
    }
    await this.#close();
    return this.#ended();
  }

  #ended(): Result<T> | Promise<Result<T>> {
    return this.#invalid === null ? { done: true, value: undefined } : Promise.reject(this.#invalid);
  }

  async #failed(error: unknown): Promise<never> {
    // What went wrong first is what its user has to know: a failure to close is a consequence.
    await this.#close().catch(() => undefined);
    throw error;
  }

  #close(): Promise<void> {
    if (this.#closed === null) {
      this.#closed = this.#cursor.close();
      this.#onClosed();
    }
    return this.#closed;
  }
}

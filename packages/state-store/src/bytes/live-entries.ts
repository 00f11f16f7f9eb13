import type { EngineEntry } from "../engine/store-engine.ts";
import type { EntryCursor } from "../iterators/entry-source.ts";
import { NEVER, type StoredValue } from "./stored-value.ts";

/** Whether the value counts as deleted at this stream time. */
export function isExpired(value: StoredValue, streamTime: number): boolean {
  return value.expiresAt !== NEVER && value.expiresAt <= streamTime;
}

/** Leaves out what has expired, and tells of an error whoever must know of it even when the consumer swallows it. */
export class LiveEntries implements EntryCursor {
  readonly #entries: EntryCursor;
  readonly #streamTime: number;
  readonly #onFailure: (error: unknown) => void;

  constructor(entries: EntryCursor, streamTime: number, onFailure: (error: unknown) => void) {
    this.#entries = entries;
    this.#streamTime = streamTime;
    this.#onFailure = onFailure;
  }

  next(): EngineEntry | undefined | Promise<EngineEntry | undefined> {
    for (;;) {
      const next = this.#entries.next();
      if (next instanceof Promise) return this.#later(next);
      if (next === undefined || !isExpired(next.value, this.#streamTime)) return next;
    }
  }

  close(): Promise<void> {
    return this.#entries.close();
  }

  async #later(pending: Promise<EngineEntry | undefined>): Promise<EngineEntry | undefined> {
    let next: EngineEntry | undefined;
    try {
      next = await pending;
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
    return next === undefined || !isExpired(next.value, this.#streamTime) ? next : this.next();
  }
}

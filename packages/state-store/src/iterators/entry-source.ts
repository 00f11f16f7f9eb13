import type { EngineEntry } from "../engine/store-engine.ts";

/** Entries sorted by physical key that are in memory: a layer of an overlay. A deleted value hides what is below it. */
export interface EntrySource {
  next(): EngineEntry | undefined;
}

/**
 * Entries one after the other, `undefined` behind the last. What is in memory is given at once, without a promise; the
 * call after a promise waits for it.
 */
export interface EntryCursor {
  /** @throws CorruptStoreError */
  next(): EngineEntry | undefined | Promise<EngineEntry | undefined>;
  /** Gives up what it reads from. */
  close(): Promise<void>;
}

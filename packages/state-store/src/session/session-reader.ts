import type { PhysicalKey } from "../bytes/physical-key.ts";
import type { Direction, EngineEntry } from "../engine/store-engine.ts";
import type { KeyValue } from "../key-value/key-value-store.ts";
import { segmentIdOf } from "../keys/segments.ts";
import {
  readSessionEnd,
  readSessionStart,
  SESSION_SUFFIX_BYTES,
  SessionRange,
  writeSessionSuffix,
} from "../keys/session-key.ts";
import { SegmentedReader } from "../segments/segmented-reader.ts";
import { checkTimeBound, checkTimestamp } from "../segments/timestamps.ts";
import type { WindowedIterator } from "../window/window-store.ts";
import type { Window, Windowed } from "../window/windowed.ts";
import type { ReadOnlySessionStore } from "./session-store.ts";

export class SessionReader<K, V> extends SegmentedReader<K, V> implements ReadOnlySessionStore<K, V> {
  readonly #readWindowed = (entry: EngineEntry): KeyValue<Windowed<K>, V> => ({
    key: { key: this.readKey(entry, SESSION_SUFFIX_BYTES), window: readSession(entry.key) },
    value: this.form.read(this.context.topic, entry.value),
  });

  findSessions(key: K, earliestSessionEndMs: number, latestSessionStartMs: number): WindowedIterator<K, V>;
  findSessions(
    keyFrom: K | null,
    keyTo: K | null,
    earliestSessionEndMs: number,
    latestSessionStartMs: number,
  ): WindowedIterator<K, V>;
  findSessions(key: K | null, second: K | number | null, third: number, fourth?: number): WindowedIterator<K, V> {
    if (fourth === undefined) return this.#findOfKey(key as K, second as number, third, "forward");
    return this.#findOfKeys(key, second as K | null, third, fourth, "forward");
  }

  backwardFindSessions(key: K, earliestSessionEndMs: number, latestSessionStartMs: number): WindowedIterator<K, V>;
  backwardFindSessions(
    keyFrom: K | null,
    keyTo: K | null,
    earliestSessionEndMs: number,
    latestSessionStartMs: number,
  ): WindowedIterator<K, V>;
  backwardFindSessions(
    key: K | null,
    second: K | number | null,
    third: number,
    fourth?: number,
  ): WindowedIterator<K, V> {
    if (fourth === undefined) return this.#findOfKey(key as K, second as number, third, "reverse");
    return this.#findOfKeys(key, second as K | null, third, fourth, "reverse");
  }

  fetchSession(userKey: K, sessionStartMs: number, sessionEndMs: number): V | null {
    checkTimestamp("sessionStartMs", sessionStartMs);
    checkTimestamp("sessionEndMs", sessionEndMs);
    const key = this.beginKey(userKey);
    if (sessionEndMs < this.earliestLive) return null;
    this.complete(key, sessionStartMs, sessionEndMs);
    const stored = this.getStored(key);
    return stored === undefined ? null : this.form.read(this.context.topic, stored);
  }

  fetch(key: K): WindowedIterator<K, V>;
  fetch(keyFrom: K | null, keyTo: K | null): WindowedIterator<K, V>;
  fetch(key: K | null, keyTo?: K | null): WindowedIterator<K, V> {
    if (keyTo === undefined) return this.#findOfKey(key as K, -Infinity, Infinity, "forward");
    return this.#findOfKeys(key, keyTo, -Infinity, Infinity, "forward");
  }

  backwardFetch(key: K): WindowedIterator<K, V>;
  backwardFetch(keyFrom: K | null, keyTo: K | null): WindowedIterator<K, V>;
  backwardFetch(key: K | null, keyTo?: K | null): WindowedIterator<K, V> {
    if (keyTo === undefined) return this.#findOfKey(key as K, -Infinity, Infinity, "reverse");
    return this.#findOfKeys(key, keyTo, -Infinity, Infinity, "reverse");
  }

  /** Completes the key of a session that is not expired. */
  protected complete(key: PhysicalKey, sessionStart: number, sessionEnd: number): void {
    key.reserve(SESSION_SUFFIX_BYTES);
    key.length = writeSessionSuffix(key.buffer, key.length, sessionStart, sessionEnd);
    key.setSegment(segmentIdOf(sessionEnd, this.segments.segmentIntervalMs));
    key.seal();
  }

  #findOfKey(userKey: K, earliestEnd: number, latestStart: number, direction: Direction): WindowedIterator<K, V> {
    const key = this.keyBytes(userKey);
    return this.iterate(this.#range(key, key, earliestEnd, latestStart), direction, this.#readWindowed);
  }

  #findOfKeys(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
    direction: Direction,
  ): WindowedIterator<K, V> {
    const [first, last] = this.keyRange(keyFrom, keyTo);
    return this.iterate(this.#range(first, last, earliestEnd, latestStart), direction, this.#readWindowed);
  }

  #range(keyFrom: Buffer | null, keyTo: Buffer | null, earliestEnd: number, latestStart: number): SessionRange {
    checkTimeBound("earliestSessionEndMs", earliestEnd);
    checkTimeBound("latestSessionStartMs", latestStart);
    return new SessionRange(keyFrom, keyTo, Math.max(earliestEnd, this.earliestLive), latestStart);
  }
}

/** Of a session's key. */
export function readSession(key: Buffer): Window {
  return { startMs: readSessionStart(key, key.length), endMs: readSessionEnd(key, key.length) };
}

import { describe, expect, it, vi } from "vitest";
import { Arena } from "../bytes/arena.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { EngineEntry } from "../engine/store-engine.ts";
import { StoreMetrics } from "../metrics/store-metrics.ts";
import type { EntryCursor } from "./entry-source.ts";
import { StoreClosedError } from "./iterator-errors.ts";
import { OpenIterators } from "./open-iterators.ts";

const arena = new Arena();
const stopped = { now: () => 0, monotonicMs: () => 0 };

function entry(key: string): EngineEntry {
  const bytes = Buffer.from(key);
  return { key: bytes, value: arena.write(bytes, bytes.length, key, 0, NEVER) };
}

/** Gives the keys; those in capitals later than asked for. Fails when it is asked for two things at a time, or closed twice. */
class ScriptedCursor implements EntryCursor {
  readonly #keys: string[];
  #isBusy = false;
  closings = 0;
  asked = 0;
  failure: Error | null = null;

  constructor(keys: string) {
    this.#keys = keys.split("");
  }

  next(): EngineEntry | undefined | Promise<EngineEntry | undefined> {
    if (this.#isBusy) throw new Error("busy");
    if (this.closings > 0) throw new Error("closed");
    if (this.failure !== null) throw this.failure;
    this.asked++;
    const key = this.#keys.shift();
    if (key === undefined) return undefined;
    return key === key.toLowerCase() ? entry(key) : this.#later(entry(key));
  }

  close(): Promise<void> {
    if (this.#isBusy) throw new Error("busy");
    this.closings++;
    return Promise.resolve();
  }

  async #later(given: EngineEntry): Promise<EngineEntry> {
    this.#isBusy = true;
    await new Promise((resolve) => setImmediate(resolve));
    this.#isBusy = false;
    return given;
  }
}

function open(keys: string, read = (each: EngineEntry): string | undefined => each.key.toString()) {
  const metrics = new StoreMetrics(stopped);
  const iterators = new OpenIterators(metrics);
  const cursor = new ScriptedCursor(keys);
  return { iterators, cursor, metrics, iterator: iterators.open(cursor, read) };
}

const closedError = new StoreClosedError("counts");
const DONE = { done: true, value: undefined };

describe("a store's iterator", () => {
  it("gives all entries and closes itself at the end", async () => {
    const { iterator, iterators, cursor, metrics } = open("aBcD");
    expect(iterators.size).toBe(1);
    expect(metrics.snapshot().numOpenIterators).toBe(1);
    const all: string[] = [];
    for await (const key of iterator) all.push(key);
    expect(all).toEqual(["a", "B", "c", "D"]);
    expect(cursor.closings).toBe(1);
    expect(iterators.size).toBe(0);
    expect(metrics.snapshot()).toMatchObject({ numOpenIterators: 0, rangeTotal: 1 });
    expect(await iterator.next()).toEqual(DONE);
    await iterator.close();
    expect(cursor.closings).toBe(1);
  });

  it("leaves out what its reader does, however many and wherever they are", async () => {
    const { iterator } = open("xaxXBxxXcxX", (each) =>
      /x/i.test(each.key.toString()) ? undefined : each.key.toString(),
    );
    const all: string[] = [];
    for await (const key of iterator) all.push(key);
    expect(all).toEqual(["a", "B", "c"]);
  });

  it.each(["aaa", "AAA"])("closes itself on break (%s)", async (keys) => {
    const { iterator, iterators, cursor } = open(keys);
    for await (const key of iterator) if (key !== "") break;
    expect(cursor.closings).toBe(1);
    expect(cursor.asked).toBe(1);
    expect(iterators.size).toBe(0);
  });

  it("closes itself when the loop throws", async () => {
    const { iterator, cursor } = open("ab");
    const loop = async (): Promise<void> => {
      for await (const key of iterator) throw new Error(`no ${key}`);
    };
    await expect(loop()).rejects.toThrow("no a");
    expect(cursor.closings).toBe(1);
  });

  it.each(["ab", "Ab", "xb"])("closes itself when reading an entry throws (%s)", async (keys) => {
    const { iterator, iterators, cursor } = open(keys, (each) => {
      if (each.key.toString() === "x") return undefined;
      throw new Error("bad bytes");
    });
    await expect(iterator.next()).rejects.toThrow("bad bytes");
    expect(cursor.closings).toBe(1);
    expect(iterators.size).toBe(0);
    expect(await iterator.next()).toEqual(DONE);
  });

  it("closes itself when its source throws, and tells of that even if closing fails too", async () => {
    const { iterator, iterators, cursor } = open("a");
    await iterator.next();
    cursor.failure = new Error("a bad block");
    vi.spyOn(cursor, "close").mockRejectedValue(new Error("and more"));
    await expect(iterator.next()).rejects.toThrow("a bad block");
    expect(iterators.size).toBe(0);
  });

  it("closes with `await using`, also before its first entry", async () => {
    const { iterator, iterators, cursor } = open("A");
    await iterator[Symbol.asyncDispose]();
    expect(cursor.asked).toBe(0);
    expect(cursor.closings).toBe(1);
    expect(iterators.size).toBe(0);
    expect(await iterator.next()).toEqual(DONE);
  });

  it("asks its source for one thing at a time, and answers calls in their order", async () => {
    const { iterator, cursor } = open("ABC");
    const calls = [iterator.next(), iterator.next()];
    await calls[0];
    calls.push(iterator.next(), iterator.next(), iterator.next());
    const results = await Promise.all([...calls, iterator.close()]);
    expect(results).toEqual([
      { done: false, value: "A" },
      { done: false, value: "B" },
      { done: false, value: "C" },
      DONE,
      DONE,
      undefined,
    ]);
    expect(cursor.closings).toBe(1);
  });

  it("closes behind a call that is under way", async () => {
    const { iterator, cursor } = open("AB");
    const pending = iterator.next();
    const closed = iterator.close();
    expect(cursor.closings).toBe(0);
    expect(await pending).toEqual({ done: false, value: "A" });
    await closed;
    expect(cursor.closings).toBe(1);
  });

  it.each(["ab", "AB"])("throws the store's error when it is used after the store was closed (%s)", async (keys) => {
    const { iterator, iterators, cursor } = open(keys);
    await iterator.next();
    await iterators.invalidate(closedError);
    expect(cursor.closings).toBe(1);
    expect(iterators.size).toBe(0);
    await expect(iterator.next()).rejects.toBe(closedError);
    await expect(iterator.next()).rejects.toMatchObject({ code: "EOS_STORE_CLOSED", storeName: "counts" });
    await iterator.close();
  });

  it("throws the store's error in the calls that are under way when the store is closed", async () => {
    const { iterator, iterators, cursor } = open("ABC");
    const calls = [iterator.next(), iterator.next()];
    const closing = iterators.invalidate(closedError);
    const outcomes = await Promise.allSettled(calls);
    await closing;
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(outcomes).toMatchObject([{ reason: closedError }, { reason: closedError }]);
    expect(cursor.closings).toBe(1);
  });

  it("has ended, and not failed, when it came to its end before the store was closed", async () => {
    const { iterator, iterators } = open("");
    expect(await iterator.next()).toEqual(DONE);
    await iterators.invalidate(closedError);
    expect(await iterator.next()).toEqual(DONE);
  });
});

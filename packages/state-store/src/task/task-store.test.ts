import { ConnectionError } from "@eos/client";
import { type RecordSink, silentLogger, systemClock } from "@eos/core";
import { beforeEach, describe, expect, it } from "vitest";
import type { ByteReader, ByteStore } from "../bytes/byte-store.ts";
import { FIRST_EXPIRY, readExpiryKey } from "../bytes/expiry-index.ts";
import { PhysicalKey, PLAIN_PREFIX_BYTES } from "../bytes/physical-key.ts";
import { NEVER } from "../bytes/stored-value.ts";
import { openMemoryEngine } from "../engine/memory-engine.ts";
import type { StoreEngine } from "../engine/store-engine.ts";
import { CorruptStoreError, StoreIoError, UnrecoverableStoreError } from "../errors.ts";
import { StoreMetrics } from "../metrics/store-metrics.ts";
import type { StoreKind } from "../store-kind.ts";
import type { ChangelogReplay } from "./changelog-replay.ts";
import { TaskStore, type TaskStoreOptions } from "./task-store.ts";

/** A store of bytes as they are. */
const bytesKind: StoreKind<ByteStore, ByteReader> = {
  changelogKind: "key-value",
  format: { layout: "bytes", prefixBytes: PLAIN_PREFIX_BYTES, complete: () => -1 },
  retentionMs: null,
  create: (bytes) => bytes,
  createReadOnly: (bytes) => bytes,
  read: (_topic, { key, value }) => ({ key, value: value.bytes() }),
};

const key = new PhysicalKey(PLAIN_PREFIX_BYTES);

function get(reader: ByteReader, name: string): string | undefined {
  key.set(name);
  return reader.get(key)?.bytes().toString();
}

function put(store: ByteStore, name: string, value: string | null, expiresAt: number = NEVER, timestamp = 0): void {
  key.set(name);
  store.observe(timestamp);
  store.put(key, value, timestamp, expiresAt);
}

/** Everything a task store stands on, and what happened to it in which order. */
class Bench {
  readonly events: string[] = [];
  readonly metrics = new StoreMetrics(systemClock);
  readonly sink: { endOffset: number } & RecordSink = {
    endOffset: -1,
    checkRecordSize: () => undefined,
    append: (bytes, start, end, value) =>
      void this.events.push(`log ${bytes.toString("latin1", start, end)}=${value === null ? "∅" : String(value)}`),
  };
  /** What opening gives next, before the good engine. */
  readonly openFailures: Error[] = [];
  readonly replayFailures: Error[] = [];
  engine: StoreEngine | null = null;
  failWrite: Error | null = null;
  failGet: Error | null = null;
  failIterate: Error | null = null;

  store(options: Partial<TaskStoreOptions<ByteStore, ByteReader>> = {}): TaskStore<ByteStore, ByteReader> {
    const replay = {
      rollForward: async (engine: StoreEngine) => {
        this.events.push(`roll forward from ${engine.position.changelogOffset}`);
        const failure = this.replayFailures.shift();
        if (failure !== undefined) throw failure;
      },
    } as unknown as ChangelogReplay;
    return new TaskStore({
      name: "counts",
      kind: bytesKind,
      caching: false,
      home: {
        open: async () => {
          this.events.push("open");
          const failure = this.openFailures.shift();
          if (failure !== undefined) throw failure;
          this.engine = this.#watched(
            await openMemoryEngine({ name: "counts", logger: silentLogger, clock: systemClock }),
          );
          return this.engine;
        },
        wipe: async () => void this.events.push("wipe"),
        markCurrent: async () => undefined,
        markBehind: () => undefined,
        release: async () => void this.events.push("release"),
      },
      changelog: { topic: "app-counts-changelog", sink: this.sink, replay },
      metrics: this.metrics,
      logger: silentLogger,
      timestamp: () => 0,
      onFailure: (error) => void this.events.push(`fail ${error.message}`),
      onCommitted: (changes) => void this.events.push(`changed ${changes.size}`),
      onClosed: () => void this.events.push("closed"),
      ...options,
    });
  }

  #watched(engine: StoreEngine): StoreEngine {
    return Object.create(engine, {
      batch: {
        value: () => {
          const batch = engine.batch();
          return Object.create(batch, {
            write: {
              value: async (position: StoreEngine["position"]) => {
                if (this.failWrite !== null) throw this.failWrite;
                this.events.push(`write at ${position.changelogOffset}`);
                await batch.write(position);
              },
            },
            put: { value: (value: never) => batch.put(value) },
            delete: { value: (name: Buffer) => batch.delete(name) },
          });
        },
      },
      position: { get: () => engine.position },
      commitNumber: { get: () => engine.commitNumber },
      get: {
        value: (name: Buffer) => {
          if (this.failGet !== null) throw this.failGet;
          return engine.get(name);
        },
      },
      iterate: {
        value: (...args: Parameters<StoreEngine["iterate"]>) => {
          if (this.failIterate !== null) throw this.failIterate;
          return engine.iterate(...args);
        },
      },
      clear: { value: (...args: Parameters<StoreEngine["clear"]>) => engine.clear(...args) },
      close: {
        value: async () => {
          this.events.push("close engine");
          await engine.close();
        },
      },
    }) as StoreEngine;
  }
}

const signal = new AbortController().signal;

describe("TaskStore", () => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench();
  });

  it("writes to the engine after the commit is acknowledged, once, with the changelog's end", async () => {
    const store = bench.store();
    await store.restore([], signal);
    put(store.state, "a", "1");
    store.beginCommit();
    put(store.state, "b", "next");
    expect(bench.events).not.toContain("write at 7");
    expect(get(store.committedView, "a")).toBeUndefined();
    bench.sink.endOffset = 7;
    await store.committed([{ topic: "in", partition: 0, offset: 4 }]);
    expect(bench.events).toEqual(["open", "roll forward from -1", "log a=1", "log b=next", "write at 7", "changed 1"]);
    expect(get(store.committedView, "a")).toBe("1");
    expect(get(store.committedView, "b")).toBeUndefined();
    expect(get(store.state, "b")).toBe("next");
    expect(store.positions).toEqual([{ topic: "in", partition: 0, offset: 4 }]);
  });

  it("takes the changelog's end as of the acknowledgement, not what the next transaction has written by then", async () => {
    const store = bench.store();
    await store.restore([], signal);
    put(store.state, "a", "1");
    store.beginCommit();
    bench.sink.endOffset = 7;
    const committed = store.committed([]);
    bench.sink.endOffset = 9;
    await committed;
    expect(bench.events).toContain("write at 7");
  });

  it("drops both transactions on abort, and rolls forward", async () => {
    const store = bench.store();
    await store.restore([], signal);
    put(store.state, "a", "1");
    store.beginCommit();
    put(store.state, "b", "1");
    store.abort();
    expect([get(store.state, "a"), get(store.state, "b")]).toEqual([undefined, undefined]);
    await store.restore([], signal);
    expect(bench.events.slice(-1)).toEqual(["roll forward from -1"]);
    // No second opening: the engine is sound.
    expect(bench.events.filter((event) => event === "open")).toHaveLength(1);
  });

  it("writes nothing for a transaction that wrote nothing", async () => {
    const store = bench.store();
    await store.restore([], signal);
    store.beginCommit();
    bench.sink.endOffset = 3;
    await store.committed([{ topic: "in", partition: 0, offset: 9 }]);
    expect(bench.events.filter((event) => event.startsWith("write"))).toEqual([]);
    expect(store.positions).toEqual([{ topic: "in", partition: 0, offset: 9 }]);
  });

  it("wipes a store that is corrupt when it is opened, and restores it", async () => {
    bench.openFailures.push(new CorruptStoreError("/state", "a bad checksum"));
    const store = bench.store();
    await store.restore([], signal);
    expect(bench.events).toEqual(["open", "wipe", "open", "roll forward from -1"]);
    expect(bench.metrics.snapshot().corruptionTotal).toBe(1);
  });

  it("wipes a store whose value turns out to be corrupt, at the restore that the failure leads to", async () => {
    const store = bench.store();
    await store.restore([], signal);
    bench.failGet = new CorruptStoreError("/state", "a bad value");
    expect(() => get(store.state, "a")).toThrow(CorruptStoreError);
    expect(bench.events.slice(-1)).toEqual(["fail the store in /state is corrupt: a bad value"]);
    store.abort();
    await store.restore([], signal);
    expect(bench.events.slice(-4)).toEqual(["close engine", "wipe", "open", "roll forward from -1"]);
  });

  it("opens the engine anew after a failed write, and skips none: the changelog has it", async () => {
    const store = bench.store();
    await store.restore([], signal);
    put(store.state, "a", "1");
    store.beginCommit();
    bench.failWrite = new StoreIoError("/state", "writing", new Error("ENOSPC"));
    await expect(store.committed([])).rejects.toBe(bench.failWrite);
    store.abort();
    await store.restore([], signal);
    expect(bench.events.slice(-3)).toEqual(["close engine", "open", "roll forward from -1"]);
  });

  it("tries to open again when it could not, and says so by rejecting", async () => {
    const full = new StoreIoError("/state", "opening", new Error("ENOSPC"));
    bench.openFailures.push(full, full);
    const store = bench.store();
    await expect(store.restore([], signal)).rejects.toBe(full);
    await expect(store.restore([], signal)).rejects.toBe(full);
    await store.restore([], signal);
    expect(bench.events).toEqual(["open", "open", "open", "roll forward from -1"]);
  });

  it("goes on where it was when its changelog could not be read for a while", async () => {
    const lost = new ConnectionError("the broker is away");
    bench.replayFailures.push(lost);
    const store = bench.store();
    await expect(store.restore([], signal)).rejects.toBe(lost);
    await store.restore([], signal);
    expect(bench.events.filter((event) => event === "open")).toHaveLength(1);
  });

  it("opens nothing any more once it is closed", async () => {
    const store = bench.store();
    await store.restore([], signal);
    await store.close();
    await expect(store.restore([], signal)).rejects.toThrow(/is closed/);
    expect(bench.events.slice(-3)).toEqual(["close engine", "closed", "release"]);
  });

  it("never wipes a store that has no changelog", async () => {
    bench.openFailures.push(new CorruptStoreError("/state", "a bad checksum"));
    const store = bench.store({ changelog: null });
    await expect(store.restore([], signal)).rejects.toBeInstanceOf(UnrecoverableStoreError);
    expect(bench.events).toEqual(["open"]);
  });

  it("ends its iterators and refuses reads once it is closed", async () => {
    const store = bench.store();
    await store.restore([], signal);
    await store.close();
    expect(() => get(store.state, "a")).toThrow(/is closed/);
    await store.close();
    expect(bench.events.slice(-3)).toEqual(["close engine", "closed", "release"]);
  });

  it("deletes what has expired, with a tombstone, in a later transaction", async () => {
    const store = bench.store();
    await store.restore([], signal);
    put(store.state, "a", "1", 150, 100);
    put(store.state, "b", "1", NEVER, 100);
    store.beginCommit();
    await store.committed([]);
    put(store.state, "c", "1", NEVER, 150);
    store.beginCommit();
    await store.committed([]);
    expect(bench.events.filter((event) => event.startsWith("log"))).toEqual([
      "log a=1",
      "log b=1",
      "log c=1",
      "log a=∅",
    ]);
    store.beginCommit();
    await store.committed([]);
    const left: string[] = [];
    for await (const entry of (bench.engine as StoreEngine).iterate({}, "forward"))
      left.push(entry.key.toString("latin1", 1));
    expect(left).toEqual(["b", "c"]);
  });

  it("deletes as much as is put, so that what has expired does not pile up", async () => {
    const store = bench.store();
    await store.restore([], signal);
    for (let i = 0; i < 3_000; i++) put(store.state, `first ${i}`, "1", 150, 100);
    store.beginCommit();
    await store.committed([]);
    for (let i = 0; i < 3_000; i++) put(store.state, `second ${i}`, "1", 250, 200);
    store.beginCommit();
    await store.committed([]);
    expect(bench.events.filter((event) => event.endsWith("=∅"))).toHaveLength(3_000);
  });

  it("wipes a store whose list of what expires is corrupt", async () => {
    const store = bench.store();
    await store.restore([], signal);
    put(store.state, "a", "1", 150, 100);
    store.beginCommit();
    const failure = new CorruptStoreError("/state", "a bad entry");
    bench.failIterate = failure;
    await expect(store.committed([])).rejects.toBe(failure);
    bench.failIterate = null;
    store.abort();
    await store.restore([], signal);
    expect(bench.events.slice(-4)).toEqual(["close engine", "wipe", "open", "roll forward from -1"]);
  });

  it("keeps no list of a value that was overwritten", async () => {
    const store = bench.store();
    await store.restore([], signal);
    put(store.state, "a", "1", 1_000, 100);
    put(store.state, "b", "1", 1_000, 100);
    store.beginCommit();
    await store.committed([]);
    put(store.state, "a", "2", 2_000, 110);
    put(store.state, "b", null, NEVER, 110);
    store.beginCommit();
    await store.committed([]);
    const listed: string[] = [];
    for await (const { key } of (bench.engine as StoreEngine).iterate({ gte: FIRST_EXPIRY }, "forward")) {
      const { key: physical, expiresAt } = readExpiryKey(key);
      listed.push(`${physical.toString("latin1", 1)} at ${expiresAt}`);
    }
    expect(listed).toEqual(["a at 2000"]);
  });

  it("leaves alone what was put again with a later end", async () => {
    const store = bench.store();
    await store.restore([], signal);
    put(store.state, "a", "1", 150, 100);
    store.beginCommit();
    await store.committed([]);
    put(store.state, "a", "2", 500, 140);
    put(store.state, "b", "1", NEVER, 200);
    store.beginCommit();
    await store.committed([]);
    expect(get(store.state, "a")).toBe("2");
    expect(bench.events).not.toContain("log a=∅");
  });
});

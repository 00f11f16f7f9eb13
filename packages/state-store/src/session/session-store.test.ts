import { readFileSync } from "node:fs";
import { bytesSerde, stringSerde } from "@eos/core";
import { afterEach, describe, expect, it } from "vitest";
import type { StoreBuilder } from "../store-builder.ts";
import type { TaskStore } from "../task/task-store.ts";
import { all } from "../testing/contract.ts";
import { SimulatedTask } from "../testing/simulated-task.ts";
import type { WindowedIterator } from "../window/window-store.ts";
import type { Windowed } from "../window/windowed.ts";
import { sessionStore, type SessionStoreOptions, timestampedSessionStore } from "./session-store.ts";

const HOUR_MS = 3_600_000;
const BYTES = { name: "sessions", key: bytesSerde, value: bytesSerde, storage: "inMemory" } as const;
const STRINGS = { name: "sessions", key: stringSerde, value: stringSerde, storage: "inMemory" } as const;
const SMALL = { ...STRINGS, retentionMs: 100, segmentIntervalMs: 50 };

const disposables: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of disposables.splice(0)) await each[Symbol.asyncDispose]();
});

async function start<S, R, K, V>(builder: StoreBuilder<S, R, K, V>): Promise<SimulatedTask<S>> {
  const task = await SimulatedTask.start(() => builder);
  disposables.push(task);
  task.at(0);
  return task;
}

function goldens(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../test/goldens/${name}.json`, import.meta.url), "utf8"));
}

function entriesOf(task: SimulatedTask<unknown>): Promise<number> {
  return (task.participant as TaskStore<unknown, unknown>).engine!.approximateNumEntries();
}

function session<K>(key: K, startMs: number, endMs: number): Windowed<K> {
  return { key, window: { startMs, endMs } };
}

describe("sessionStore", () => {
  it.each<[string, Partial<SessionStoreOptions<string, string>>, RegExp]>([
    ["no retention", { retentionMs: undefined as unknown as number }, /"retentionMs" is required/],
    ["nothing as retention", { retentionMs: 0 }, /"retentionMs" must be a positive integer, got 0/],
    [
      "thousands of segments",
      { retentionMs: HOUR_MS, segmentIntervalMs: 3_599 },
      /"segmentIntervalMs" must be at least a thousandth of retentionMs \(3600\), got 3599/,
    ],
    ["a window's option", { windowSizeMs: 10 } as object, /unknown option "windowSizeMs"/],
  ])("refuses %s", (_what, wrong, message) => {
    const options = { ...STRINGS, retentionMs: 100, ...wrong };
    expect(() => sessionStore(options)).toThrow(TypeError);
    expect(() => sessionStore(options)).toThrow(message);
    expect(() => timestampedSessionStore(options)).toThrow(message);
  });

  it("has the changelog keep sessions for the retention and a day more, as Kafka Streams does", async () => {
    const task = await start(sessionStore({ ...STRINGS, retentionMs: HOUR_MS }));
    const config = await task.cluster.createClient().admin.describeTopicConfig("simulated-sessions-changelog");
    expect(config.get("retention.ms")).toBe(String(25 * HOUR_MS));
    expect(config.get("cleanup.policy")).toBe("compact,delete");
  });
});

describe("a session store", () => {
  it("finds what Kafka Streams' store finds, in the same order", async () => {
    interface Read {
      readonly keyFrom: string | null;
      readonly keyTo: string | null;
      readonly times: readonly [number, number];
      readonly found: readonly (readonly [string, number, number])[];
    }
    const { session: golden, segmentIntervalMs } = goldens("range-reads") as {
      readonly segmentIntervalMs: number;
      readonly session: {
        readonly writes: readonly (readonly [string, number, number])[];
        readonly reads: readonly Read[];
      };
    };
    const task = await start(sessionStore({ ...BYTES, retentionMs: HOUR_MS, segmentIntervalMs }));
    const store = task.state;
    const bytesOf = (hex: string): Buffer => Buffer.from(hex, "hex");
    const boundOf = (hex: string | null): Buffer | null => (hex === null ? null : bytesOf(hex));
    for (const [i, [key, from, to]] of golden.writes.entries()) {
      store.put(session(bytesOf(key), from, to), Buffer.from("v"));
      if (i === golden.writes.length >> 1) await task.commit();
    }
    const hexed = async (iterator: WindowedIterator<Buffer, Buffer>): Promise<[string, number, number][]> =>
      (await all(iterator)).map(({ key: { key, window } }) => [key.toString("hex"), window.startMs, window.endMs]);
    for (const { keyFrom, keyTo, times, found } of golden.reads) {
      const range = [boundOf(keyFrom), boundOf(keyTo), ...times] as const;
      expect(await hexed(store.findSessions(...range))).toEqual(found);
      expect(await hexed(store.backwardFindSessions(...range))).toEqual(found.toReversed());
      if (keyFrom !== null && keyFrom === keyTo) {
        expect(await hexed(store.findSessions(bytesOf(keyFrom), ...times))).toEqual(found);
      }
    }
  });

  it("logs what Kafka Streams' store logs", async () => {
    const changelogs = goldens("changelogs") as { readonly [kind: string]: unknown };
    const TIME = 1_699_999_980_000;
    const task = await start(sessionStore({ ...BYTES, retentionMs: HOUR_MS }));
    task.at(1_700_000_000_000);
    const key = session(Buffer.from("k"), TIME - 5, TIME);
    task.state.put(key, Buffer.from("v"));
    task.state.remove(key);
    task.state.put(key, Buffer.from("w"));
    task.state.put(key, Buffer.from("x"));
    await task.commit();
    const logged = task.changelog.committedRecords.map((record) => ({
      headers: [],
      key: record.key.toString("hex"),
      timestamp: record.timestamp,
      value: record.value === null ? null : record.value.toString("hex"),
    }));
    expect(logged).toEqual(changelogs["session"]);
  });

  it("logs nothing of a write that comes too late, and counts it", async () => {
    const builder = sessionStore(SMALL);
    const task = await start(builder);
    task.state.put(session("a", 0, 200), "1");
    task.state.put(session("a", 0, 100), "1");
    task.state.remove(session("a", 0, 100));
    task.state.put(session("a", 0, 101), "1");
    await task.commit();
    expect(task.changelog.committedRecords).toHaveLength(2);
    expect(builder.metrics(0)).toMatchObject({ expiredTotal: 2, putTotal: 4 });
  });

  it("shows the timestamp of each value when it is asked to", async () => {
    const { state: store } = await start(timestampedSessionStore(SMALL));
    store.put(session("a", 0, 10), { value: "1", timestamp: 7 });
    expect(store.fetchSession("a", 0, 10)).toEqual({ value: "1", timestamp: 7 });
    expect(await all(store.fetch("a"))).toEqual([{ key: session("a", 0, 10), value: { value: "1", timestamp: 7 } }]);
    expect(() => store.put(session("a", 0, 10), { value: "1" } as never)).toThrow(TypeError);
  });

  it("removes whole segments from the disk by the sessions' ends, also when it is restored", async () => {
    const task = await start(sessionStore(SMALL));
    for (let end = 0; end <= 149; end++) task.state.put(session("a", 0, end), "1");
    await task.commit();
    expect(await entriesOf(task)).toBe(150);
    task.state.put(session("a", 0, 150), "1");
    await task.commit();
    expect(await entriesOf(task)).toBe(101);
    await task.move();
    expect(await entriesOf(task)).toBe(101);
    expect((await all(task.state.fetch("a"))).length).toBe(100);
  });

  it("tells those who watch it of sessions", async () => {
    const builder = sessionStore(SMALL);
    const task = await start(builder);
    const changes: unknown[] = [];
    const stop = builder.onChange((change) => changes.push(change));
    task.at(7);
    task.state.put(session("a", 0, 10), "1");
    task.state.remove(session("b", 0, 10));
    await task.commit();
    stop();
    expect(changes).toEqual([
      { partition: 0, key: session("a", 0, 10), value: "1", timestamp: 7 },
      { partition: 0, key: session("b", 0, 10), value: null, timestamp: 7 },
    ]);
  });

  it("throws when it is used after its task was closed", async () => {
    const task = await start(sessionStore(SMALL));
    const store = task.state;
    await task.participant.close();
    const closed = { code: "EOS_STORE_CLOSED" };
    expect(() => store.put(session("a", 0, 10), "1")).toThrow(expect.objectContaining(closed));
    expect(() => store.fetchSession("a", 0, 10)).toThrow(expect.objectContaining(closed));
    expect(() => store.fetch("a")).toThrow(expect.objectContaining(closed));
    expect(() => store.findSessions(null, null, 0, 10)).toThrow(expect.objectContaining(closed));
  });
});

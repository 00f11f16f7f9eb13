import { readFileSync } from "node:fs";
import { bytesSerde, stringSerde } from "@eos/core";
import { afterEach, describe, expect, it } from "vitest";
import type { TaskStore } from "../task/task-store.ts";
import { all } from "../testing/contract.ts";
import type { SimulatedRecord } from "../testing/simulated-partition.ts";
import { SimulatedTask } from "../testing/simulated-task.ts";
import type { StoreBuilder } from "../store-builder.ts";
import { timestampedWindowStore, type WindowedIterator, windowStore, type WindowStoreOptions } from "./window-store.ts";

const HOUR_MS = 3_600_000;
const BYTES = { name: "windows", key: bytesSerde, value: bytesSerde, storage: "inMemory" } as const;
const STRINGS = { name: "windows", key: stringSerde, value: stringSerde, storage: "inMemory" } as const;
const SMALL = { ...STRINGS, windowSizeMs: 10, retentionMs: 100, segmentIntervalMs: 50 };

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

interface JavaRecord {
  readonly key: string;
  readonly value: string | null;
  readonly timestamp: number;
}

function javaRecords(kind: string): SimulatedRecord[] {
  const changelogs = goldens("changelogs") as { readonly [kind: string]: readonly JavaRecord[] };
  return changelogs[kind]!.map(({ key, value, timestamp }) => ({
    key: Buffer.from(key, "hex"),
    value: value === null ? null : Buffer.from(value, "hex"),
    timestamp,
    headers: null,
  }));
}

function entriesOf(task: SimulatedTask<unknown>): Promise<number> {
  return (task.participant as TaskStore<unknown, unknown>).engine!.approximateNumEntries();
}

describe("windowStore", () => {
  it.each<[string, Partial<WindowStoreOptions<string, string>>, RegExp]>([
    ["no window size", { windowSizeMs: undefined as unknown as number }, /"windowSizeMs" is required/],
    ["a negative window size", { windowSizeMs: -1 }, /"windowSizeMs" must be an integer of 0 or more, got -1/],
    ["no retention", { retentionMs: 0 }, /"retentionMs" must be a positive integer, got 0/],
    ["less retention than a window", { retentionMs: 9 }, /"retentionMs" must be at least windowSizeMs \(10\), got 9/],
    ["half a millisecond", { segmentIntervalMs: 0.5 }, /"segmentIntervalMs" must be a positive integer/],
    [
      "thousands of segments",
      { retentionMs: HOUR_MS, segmentIntervalMs: 3_599 },
      /"segmentIntervalMs" must be at least a thousandth of retentionMs \(3600\), got 3599/,
    ],
    ["duplicates by the word", { retainDuplicates: "yes" as unknown as boolean }, /"retainDuplicates" must be true or/],
    ["another name", { windowSize: 10 } as object, /unknown option "windowSize"; did you mean "windowSizeMs"\?/],
  ])("refuses %s", (_what, wrong, message) => {
    const options = { ...STRINGS, windowSizeMs: 10, ...wrong };
    expect(() => windowStore(options)).toThrow(TypeError);
    expect(() => windowStore(options)).toThrow(message);
    expect(() => timestampedWindowStore(options)).toThrow(message);
  });

  it("keeps windows for 7 days, or for their size when they are longer, unless it is told otherwise", async () => {
    const retentionOf = async (windowSizeMs: number, retentionMs?: number): Promise<string | null | undefined> => {
      const retention = retentionMs === undefined ? {} : { retentionMs };
      const task = await start(windowStore({ ...STRINGS, windowSizeMs, ...retention }));
      const config = await task.cluster.createClient().admin.describeTopicConfig("simulated-windows-changelog");
      return config.get("retention.ms");
    };
    // As in Kafka Streams the changelog has a day more.
    expect(await retentionOf(10)).toBe(String(8 * 24 * HOUR_MS));
    expect(await retentionOf(30 * 24 * HOUR_MS)).toBe(String(31 * 24 * HOUR_MS));
    expect(await retentionOf(10, HOUR_MS)).toBe(String(25 * HOUR_MS));
  });
});

describe("a window store", () => {
  it("finds what Kafka Streams' store finds, in the same order, and a key that it misses", async () => {
    interface Read {
      readonly keyFrom: string | null;
      readonly keyTo: string | null;
      readonly times: readonly [number, number];
      readonly found: readonly (readonly [string, number])[];
    }
    const { window: golden, segmentIntervalMs } = goldens("range-reads") as {
      readonly segmentIntervalMs: number;
      readonly window: { readonly writes: readonly (readonly [string, number])[]; readonly reads: readonly Read[] };
    };
    const task = await start(windowStore({ ...BYTES, windowSizeMs: 60_000, retentionMs: HOUR_MS, segmentIntervalMs }));
    const store = task.state;
    const bytesOf = (hex: string): Buffer => Buffer.from(hex, "hex");
    const boundOf = (hex: string | null): Buffer | null => (hex === null ? null : bytesOf(hex));
    for (const [i, [key, time]] of golden.writes.entries()) {
      store.put(bytesOf(key), Buffer.from("v"), time);
      if (i === golden.writes.length >> 1) await task.commit();
    }
    const hexed = async (iterator: WindowedIterator<Buffer, Buffer>): Promise<[string, number][]> =>
      (await all(iterator)).map(({ key }) => [key.key.toString("hex"), key.window.startMs]);
    const more = new Set<string>();
    for (const { keyFrom, keyTo, times, found } of golden.reads) {
      const range = [boundOf(keyFrom), boundOf(keyTo), ...times] as const;
      const ours = await hexed(store.fetch(...range));
      expect(await hexed(store.backwardFetch(...range))).toEqual(ours.toReversed());
      const theirs = new Set(found.map(String));
      for (const each of ours) if (!theirs.has(String(each))) more.add(`${each[0]} up to ${keyTo}`);
      expect(ours.filter((each) => theirs.has(String(each)))).toEqual(found);
      if (keyFrom === null || keyFrom !== keyTo) continue;
      const one = await all(store.fetch(bytesOf(keyFrom), ...times));
      expect(one.map(({ key }) => [keyFrom, key])).toEqual(found);
    }
    expect([...more]).toEqual(["00 up to 00000001"]);
  });

  it("logs what Kafka Streams' store logs", async () => {
    const changelogs = goldens("changelogs") as { readonly [kind: string]: readonly { readonly headers: unknown }[] };
    const RECORD = 1_700_000_000_000;
    const TIME = 1_699_999_980_000;
    const shape = { windowSizeMs: 60_000, retentionMs: HOUR_MS };
    const [key, v, w, x] = ["k", "v", "w", "x"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer];
    const logged = async (task: SimulatedTask<unknown>): Promise<unknown> => {
      await task.commit();
      return task.changelog.committedRecords.map((record) => ({
        headers: [],
        key: record.key.toString("hex"),
        timestamp: record.timestamp,
        value: record.value === null ? null : record.value.toString("hex"),
      }));
    };
    const plain = await start(windowStore({ ...BYTES, ...shape }));
    plain.at(RECORD);
    for (const value of [v, null, w, x]) plain.state.put(key, value, TIME);
    expect(await logged(plain)).toEqual(changelogs["window"]);

    const timestamped = await start(timestampedWindowStore({ ...BYTES, ...shape }));
    timestamped.at(RECORD);
    for (const value of [v, null, w, x]) {
      timestamped.state.put(key, value === null ? null : { value, timestamp: TIME + 7 }, TIME);
    }
    expect(await logged(timestamped)).toEqual(changelogs["timestampedWindow"]);

    const duplicates = await start(windowStore({ ...BYTES, ...shape, retainDuplicates: true }));
    duplicates.at(RECORD);
    for (const value of [v, null, w, x]) duplicates.state.put(key, value, TIME);
    const numbers = ((await logged(duplicates)) as { readonly key: string }[]).map((record) => record.key.slice(-8));
    expect(numbers).toEqual(["00000001", "00000002", "00000003"]);
  });

  it.each([
    ["window", false, ["x"]],
    ["timestampedWindow", false, ["x"]],
    ["windowRetainingDuplicates", true, ["v", "w", "x"]],
    ["windowTooLate", false, ["v"]],
    ["windowBeforeTheEpoch", false, []],
  ] as const)("comes back from what Kafka Streams' store logged: %s", async (kind, retainDuplicates, values) => {
    const shape = { windowSizeMs: 60_000, retentionMs: HOUR_MS, retainDuplicates };
    const task = await start(windowStore({ ...STRINGS, ...shape }));
    task.changelog.append(-7, javaRecords(kind));
    task.changelog.end(-7, "commit");
    await task.abort();
    expect((await all(task.state.all())).map(({ value }) => value)).toEqual(values);
    const time = 1_699_999_980_000;
    if (!retainDuplicates) expect(task.state.fetch("k", time)).toBe(values[0] ?? null);
    task.state.put("k", "y", time);
    const behind = (await all(task.state.fetch("k", time, time))).map(({ value }) => value);
    expect(behind.toSorted()).toEqual(retainDuplicates ? [...values, "y"] : ["y"]);
  });

  it("logs nothing of a write that comes too late, and counts it", async () => {
    const builder = windowStore(SMALL);
    const task = await start(builder);
    task.state.put("a", "1", 200);
    task.state.put("a", "1", 100);
    task.state.put("a", null, 100);
    task.state.put("a", "1", 101);
    await task.commit();
    expect(task.changelog.committedRecords).toHaveLength(2);
    expect(builder.metrics(0)).toMatchObject({ expiredTotal: 2, putTotal: 4 });
  });

  it("shows the timestamp of each value when it is asked to", async () => {
    const { state: store } = await start(timestampedWindowStore(SMALL));
    store.put("a", { value: "1", timestamp: 7 }, 10);
    expect(store.fetch("a", 10)).toEqual({ value: "1", timestamp: 7 });
    expect(await all(store.fetch("a", 0, 20))).toEqual([{ key: 10, value: { value: "1", timestamp: 7 } }]);
    expect(() => store.put("a", { value: "1" } as never, 10)).toThrow(TypeError);
  });

  it("has windows that end with all time, when they are that long", async () => {
    const { state: store } = await start(windowStore({ ...STRINGS, windowSizeMs: Number.MAX_SAFE_INTEGER }));
    store.put("a", "1", 10);
    const window = { startMs: 10, endMs: Number.MAX_SAFE_INTEGER };
    expect(await all(store.all())).toEqual([{ key: { key: "a", window }, value: "1" }]);
  });

  it("removes whole segments from the disk, and nothing else", async () => {
    const task = await start(windowStore(SMALL));
    for (let time = 0; time <= 149; time++) task.state.put("a", "1", time);
    await task.commit();
    expect(await entriesOf(task)).toBe(150);
    task.state.put("a", "1", 149);
    await task.commit();
    expect(await entriesOf(task)).toBe(150);
    // From 150 on 50 is the earliest that has not expired with its segment.
    task.state.put("a", "1", 150);
    expect(await entriesOf(task)).toBe(150);
    await task.abort();
    await task.commit();
    expect(await entriesOf(task)).toBe(150);
    task.state.put("a", "1", 150);
    await task.commit();
    expect(await entriesOf(task)).toBe(101);
    task.state.put("a", "1", 10_000);
    await task.commit();
    expect(await entriesOf(task)).toBe(1);
  });

  it("does not keep what has expired when it is restored", async () => {
    const task = await start(windowStore(SMALL));
    for (let time = 0; time <= 1_000; time += 10) {
      task.state.put("a", "1", time);
      await task.commit();
    }
    await task.move();
    expect(await entriesOf(task)).toBe(11);
    expect((await all(task.state.all())).length).toBe(10);
  });

  it("puts duplicates behind those that it was restored with", async () => {
    const task = await start(windowStore({ ...SMALL, retainDuplicates: true }));
    for (const value of ["1", "2", "3"]) task.state.put("a", value, 10);
    await task.commit();
    await task.move();
    task.state.put("a", "4", 10);
    task.state.put("b", "5", 10);
    await task.commit();
    await task.restart();
    task.state.put("a", "6", 10);
    expect((await all(task.state.fetch("a", 10, 10))).map(({ value }) => value)).toEqual(["1", "2", "3", "4", "6"]);
  });

  it("tells those who watch it of windows", async () => {
    const builder = windowStore(SMALL);
    const task = await start(builder);
    const changes: unknown[] = [];
    const stop = builder.onChange((change) => changes.push(change));
    task.at(7);
    task.state.put("a", "1", 10);
    task.state.put("b", null, 10);
    await task.commit();
    stop();
    const window = { startMs: 10, endMs: 20 };
    expect(changes).toEqual([
      { partition: 0, key: { key: "a", window }, value: "1", timestamp: 7 },
      { partition: 0, key: { key: "b", window }, value: null, timestamp: 7 },
    ]);
  });

  it("throws when it is used after its task was closed", async () => {
    const task = await start(windowStore(SMALL));
    const store = task.state;
    store.put("a", "1", 10);
    await task.participant.close();
    const closed = { code: "EOS_STORE_CLOSED" };
    expect(() => store.put("a", "1", 10)).toThrow(expect.objectContaining(closed));
    expect(() => store.fetch("a", 10)).toThrow(expect.objectContaining(closed));
    expect(() => store.fetch("a", 0, 10)).toThrow(expect.objectContaining(closed));
    expect(() => store.all()).toThrow(expect.objectContaining(closed));
  });
});

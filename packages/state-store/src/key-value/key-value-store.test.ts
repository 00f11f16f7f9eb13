import { bytesSerde, int64Serde, jsonSerde, type Serde, stringSerde } from "@eos/core";
import { describe, expect, it, vi } from "vitest";
import type { StateRestore, StateRestoreListener } from "../changelog/restore-listener.ts";
import { all } from "../testing/contract.ts";
import { SimulatedTask } from "../testing/simulated-task.ts";
import { keyValueStore } from "./key-value-store.ts";
import { timestampedKeyValueStore } from "./timestamped-key-value-store.ts";

const strings = { name: "store", key: stringSerde, value: stringSerde, storage: "inMemory" } as const;

function logged(task: SimulatedTask<unknown>): unknown[] {
  return task.changelog.committedRecords.map(({ key, value, timestamp, headers }) => [
    String(key),
    value === null ? null : String(value),
    timestamp,
    ...(headers === null
      ? []
      : [
          headers
            .toString("latin1")
            .replaceAll(/[^ -~]/g, " ")
            .trim(),
        ]),
  ]);
}

describe("a key-value store", () => {
  it("logs keys and values as their serdes write them, with the timestamp of the record being processed", async () => {
    const builder = keyValueStore({ ...strings, value: int64Serde });
    const task = await SimulatedTask.start(() => builder);
    await using _task = task;
    task.at(1_000);
    task.state.put("é", 7);
    task.at(900);
    task.state.delete("é");
    task.state.delete("nothing");
    await task.commit();
    expect(task.changelog.committedRecords).toMatchObject([
      { key: Buffer.from("é"), value: Buffer.from("0000000000000007", "hex"), timestamp: 1_000, headers: null },
      { key: Buffer.from("é"), value: null, timestamp: 900, headers: null },
      { key: Buffer.from("nothing"), value: null, timestamp: 900, headers: null },
    ]);
  });

  it("logs the end of a value in a header, and a tombstone when it has come", async () => {
    const task = await SimulatedTask.start(() => keyValueStore(strings));
    await using _task = task;
    task.at(1_000);
    task.state.put("a", "1", { ttlMs: 50 });
    await task.commit();
    task.at(1_050);
    task.state.put("b", "1");
    await task.commit();
    await task.commit();
    expect(logged(task)).toEqual([
      ["a", "1", 1_000, "eos-expires-at 1050"],
      ["b", "1", 1_050],
      ["a", null, 1_050],
    ]);
  });

  it("comes back from its changelog with the ends of its values, and without what has ended", async () => {
    const task = await SimulatedTask.start(() => keyValueStore(strings));
    await using _task = task;
    task.at(1_000);
    task.state.putAll(["a", "b"].map((key) => ({ key, value: "1" })));
    task.state.put("a", "2", { ttlMs: 50 });
    task.state.put("b", "2", { ttlMs: 60 });
    task.at(1_050);
    task.state.put("c", "3");
    await task.commit();
    await task.move();
    expect(await all(task.state.all())).toEqual([
      { key: "b", value: "2" },
      { key: "c", value: "3" },
    ]);
    task.at(1_060);
    task.state.put("c", "4");
    expect(task.state.get("b")).toBeNull();
  });

  it("counts a time before the epoch's first millisecond as past, not as never", async () => {
    const task = await SimulatedTask.start(() => keyValueStore(strings));
    await using _task = task;
    task.at(-5);
    task.state.put("a", "1", { ttlMs: 5 });
    task.at(1);
    task.state.put("b", "1");
    expect(task.state.get("a")).toBeNull();
  });

  it("reads only the rest of its changelog after a crash", async () => {
    const restores: (StateRestore & { readonly totalRestored: number })[] = [];
    const restoreListener: StateRestoreListener = { onRestoreEnd: (restore) => void restores.push(restore) };
    const task = await SimulatedTask.start(() => keyValueStore({ ...strings, storage: "persistent", restoreListener }));
    await using _task = task;
    for (let i = 0; i < 5; i++) task.state.put(`key ${i}`, "1");
    await task.commit();
    task.state.put("a", "1");
    task.beginCommit();
    await task.crash({ outcome: "commit" });
    expect(restores.at(-1)).toMatchObject({ startingOffset: 5, endingOffset: 8, totalRestored: 1 });
    await task.crash();
    expect(restores.at(-1)).toMatchObject({ startingOffset: 8, endingOffset: 8, totalRestored: 0 });
    expect((await all(task.state.all())).length).toBe(6);
  });

  it("tells watchers each key that a commit changed, once", async () => {
    const builder = keyValueStore(strings);
    const changes: unknown[] = [];
    builder.onChange((change) => changes.push(change));
    const task = await SimulatedTask.start(() => builder);
    await using _task = task;
    task.at(5);
    task.state.putAll([
      { key: "a", value: "1" },
      { key: "a", value: "2" },
      { key: "b", value: "1" },
      { key: "b", value: null },
    ]);
    expect(changes).toEqual([]);
    await task.commit();
    expect(changes).toEqual([
      { partition: 0, key: "a", value: "2", timestamp: 5 },
      { partition: 0, key: "b", value: null, timestamp: 5 },
    ]);
  });

  it("counts its gets, puts and ranges, and its open iterators", async () => {
    const builder = keyValueStore(strings);
    const task = await SimulatedTask.start(() => builder);
    await using _task = task;
    task.state.put("a", "1");
    task.state.get("a");
    task.state.delete("a");
    const iterator = task.state.all();
    expect(builder.metrics(0)).toMatchObject({ putTotal: 2, getTotal: 2, numOpenIterators: 1 });
    await iterator.close();
    expect(builder.metrics(0)).toMatchObject({ rangeTotal: 1, numOpenIterators: 0 });
  });

  it("reads with the serde's range where there is one, and gives it a copy where there is none", async () => {
    const deserialize = vi.fn((_topic: string, bytes: Buffer) => bytes);
    const whole: Serde<Buffer> = { serialize: (topic, value) => bytesSerde.serialize(topic, value), deserialize };
    const task = await SimulatedTask.start(() => keyValueStore({ ...strings, key: jsonSerde<number>(), value: whole }));
    await using _task = task;
    task.state.put(1, Buffer.from("value"));
    task.state.get(1)?.fill(0);
    expect(String(task.state.get(1))).toBe("value");
    expect(deserialize).toHaveBeenCalledWith("simulated-store-changelog", expect.anything());
  });

  it("gives nothing that a failed put has written", async () => {
    const task = await SimulatedTask.start(() => keyValueStore(strings));
    await using _task = task;
    task.at(10);
    task.state.put("a", "1", { ttlMs: 10 });
    task.at(30);
    expect(() => task.state.put("b", 2 as unknown as string)).toThrow(/a string was expected/);
    expect(() => task.state.put(2 as unknown as string, "b")).toThrow(/a string was expected/);
    expect(task.state.get("a"), "time has not moved").toBe("1");
  });

  it.each([
    [{ ...strings, nmae: "x" }, /unknown option "nmae"/],
    [{ ...strings, key: undefined }, /"key" is required/],
    [{ ...strings, storage: "disk" }, /"storage" must be one of/],
  ])("refuses options that are wrong (%#)", (options, message) => {
    expect(() => keyValueStore(options as never)).toThrow(message);
    expect(() => timestampedKeyValueStore(options as never)).toThrow(message);
  });
});

describe("a timestamped key-value store", () => {
  it("keeps the timestamp that it is told, here and in the changelog", async () => {
    const task = await SimulatedTask.start(() => timestampedKeyValueStore(strings));
    await using _task = task;
    task.at(1_000);
    task.state.put("a", { value: "1", timestamp: 7 });
    expect(task.state.get("a")).toEqual({ value: "1", timestamp: 7 });
    await task.commit();
    expect(task.state.get("a")).toEqual({ value: "1", timestamp: 7 });
    expect(task.state.delete("a")).toEqual({ value: "1", timestamp: 7 });
    await task.commit();
    expect(logged(task)).toEqual([
      ["a", "1", 7],
      ["a", null, 1_000],
    ]);
    await task.move();
    expect(task.state.get("a")).toBeNull();
  });

  it("lets a value end by its own timestamp", async () => {
    const task = await SimulatedTask.start(() => timestampedKeyValueStore(strings));
    await using _task = task;
    task.at(1_000);
    task.state.put("a", { value: "1", timestamp: 100 }, { ttlMs: 50 });
    expect(task.state.get("a")).toEqual({ value: "1", timestamp: 100 });
    task.state.put("b", { value: "1", timestamp: 150 });
    expect(task.state.get("a")).toBeNull();
  });

  it("refuses what is no value with a timestamp", async () => {
    const task = await SimulatedTask.start(() => timestampedKeyValueStore(strings));
    await using _task = task;
    for (const value of [
      undefined,
      "1",
      { value: "1" },
      { value: null, timestamp: 1 },
      { value: "1", timestamp: 0.5 },
    ]) {
      expect(() => task.state.put("a", value as never)).toThrow(TypeError);
    }
    expect(task.state.get("a")).toBeNull();
  });
});

import { readFileSync } from "node:fs";
import { bytesSerde, stringSerde } from "@eos/core";
import { describe, expect, it } from "vitest";
import { SimulatedTask } from "../testing/simulated-task.ts";
import {
  type VersionedKeyValueStore,
  versionedKeyValueStore,
  type VersionedPutResult,
  type VersionedRecord,
} from "./versioned-key-value-store.ts";

interface JavaCall {
  readonly call: "put" | "delete" | "get" | "getAsOf";
  /** Hex, as the value. */
  readonly key: string;
  readonly value: string | null;
  readonly timestamp: number;
  readonly returned: unknown;
}

const java = JSON.parse(readFileSync(new URL("../../test/goldens/versioned-store.json", import.meta.url), "utf8")) as {
  readonly historyRetentionMs: number;
  readonly calls: readonly JavaCall[];
};

const PUT_RESULTS: Partial<Record<VersionedPutResult, unknown>> = { latest: -1, notPut: "not put" };

function call(
  store: VersionedKeyValueStore<Buffer, Buffer>,
  { call: method, key, value, timestamp }: JavaCall,
): unknown {
  const bytes = Buffer.from(key, "hex");
  if (method === "get") return asJava(store.get(bytes));
  if (method === "getAsOf") return asJava(store.get(bytes, timestamp));
  if (method === "delete") return asJava(store.delete(bytes, timestamp));
  const result = store.put(bytes, value === null ? null : Buffer.from(value, "hex"), timestamp);
  return PUT_RESULTS[result] ?? result;
}

function asJava(record: VersionedRecord<Buffer> | null): unknown {
  return record === null ? null : [record.value.toString("hex"), record.timestamp];
}

describe("a versioned store", () => {
  it("answers every call as Kafka Streams' does, with commits, aborts and restores in between", async () => {
    const options = { name: "store", key: bytesSerde, value: bytesSerde, historyRetentionMs: java.historyRetentionMs };
    const task = await SimulatedTask.start(() => versionedKeyValueStore({ ...options, storage: "inMemory" }));
    await using _task = task;
    let open: JavaCall[] = [];
    for (const [index, each] of java.calls.entries()) {
      expect(call(task.state, each), `call ${index}: ${JSON.stringify(each)}`).toEqual(each.returned);
      open.push(each);
      if (index % 7 === 6) {
        await task.commit();
        open = [];
      }
      if (index % 31 === 30) {
        if (index % 2 === 0) await task.abort();
        else await task.move();
        for (const again of open) call(task.state, again);
      }
    }
    expect(java.calls.length).toBeGreaterThan(500);
  });

  it("logs each version as a record of its own, with its timestamp, and what is not put not at all", async () => {
    const options = { name: "store", key: stringSerde, value: stringSerde, historyRetentionMs: 100 };
    const task = await SimulatedTask.start(() => versionedKeyValueStore({ ...options, storage: "inMemory" }));
    await using _task = task;
    task.state.put("a", "20", 20);
    task.state.put("a", "10", 10);
    task.state.delete("a", 30);
    task.state.put("a", "now", 1_000);
    task.state.put("a", "too late", 899);
    await task.commit();
    const logged = task.changelog.committedRecords.map(({ key, value, timestamp }) => [
      String(key),
      value === null ? null : String(value),
      timestamp,
    ]);
    expect(logged).toEqual([
      ["a", "20", 20],
      ["a", "10", 10],
      ["a", null, 30],
      ["a", "now", 1_000],
    ]);
  });

  it("leaves out of a changelog what is too late: Kafka Streams logs that too", async () => {
    const options = { name: "store", key: stringSerde, value: stringSerde, historyRetentionMs: 100 };
    const task = await SimulatedTask.start(() => versionedKeyValueStore({ ...options, storage: "inMemory" }));
    await using _task = task;
    task.state.put("a", "now", 1_000);
    await task.commit();
    const foreign = 99;
    const record = { key: Buffer.from("b"), value: Buffer.from("too late"), headers: null };
    task.changelog.append(foreign, [
      { ...record, key: Buffer.from("a"), timestamp: 899 },
      { ...record, timestamp: 899 },
    ]);
    task.cluster.end(foreign, "commit");
    await task.move();
    expect(task.state.get("a")).toEqual({ value: "now", timestamp: 1_000 });
    expect(task.state.get("a", 999)).toBeNull();
    expect(task.state.get("b")).toBeNull();
  });

  it("tells watchers the latest version", async () => {
    const options = { name: "store", key: stringSerde, value: stringSerde, historyRetentionMs: 100 };
    const builder = versionedKeyValueStore({ ...options, storage: "inMemory" });
    const changes: unknown[] = [];
    builder.onChange(({ key, value }) => changes.push([key, value]));
    const task = await SimulatedTask.start(() => builder);
    await using _task = task;
    task.state.put("a", "20", 20);
    task.state.put("a", "10", 10);
    task.state.put("b", "1", 20);
    task.state.delete("b", 21);
    await task.commit();
    expect(changes).toEqual([
      ["a", { value: "20", timestamp: 20 }],
      ["b", null],
    ]);
  });

  it("has no caching, and needs its history", () => {
    const options = { name: "store", key: stringSerde, value: stringSerde };
    expect(() => versionedKeyValueStore({ ...options, historyRetentionMs: 1, caching: true } as never)).toThrow(
      /unknown option "caching"/,
    );
    expect(() => versionedKeyValueStore(options as never)).toThrow(/"historyRetentionMs" is required/);
    expect(() => versionedKeyValueStore({ ...options, historyRetentionMs: -1 })).toThrow(TypeError);
  });
});

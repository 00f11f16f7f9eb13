import { silentLogger } from "@eos/core";
import { beforeEach, describe, expect, test } from "vitest";
import { FastClock } from "../fast-clock-fixture.ts";
import type { Cluster } from "../network/cluster.ts";
import { LogFixture } from "../records/log-fixture.ts";
import { OffsetOutOfRangeError } from "./fetch-errors.ts";
import { type PartitionReaderOptions, readPartition } from "./partition-reader.ts";

let log: LogFixture;
let fetches: number;
let errorCode: number;

beforeEach(() => {
  log = new LogFixture();
  fetches = 0;
  errorCode = 0;
});

/** A broker that answers with the whole log once, and holds every fetch after that. */
const cluster = {
  topic: () => Promise.resolve(),
  cachedTopic: () => ({ partitions: [{ leader: 1 }] }),
  refreshMetadata: () => Promise.resolve(),
  async send(): Promise<unknown> {
    if (fetches++ > 0) await new Promise(() => {});
    const payload = log.bytesFrom(0);
    const partition = {
      partition: 0,
      errorCode,
      lastStableOffset: log.endOffset,
      aborted: [],
      recordsStart: 0,
      recordsEnd: payload.length,
    };
    return { errorCode: 0, payload, topics: [{ topic: "in", partitions: [partition] }] };
  },
} as unknown as Cluster;

async function read(options: Partial<PartitionReaderOptions> = {}): Promise<number[]> {
  const offsets: number[] = [];
  const whole = { topic: "in", partition: 0, from: 0, to: log.endOffset, ...options };
  for await (const batch of readPartition(cluster, new FastClock(), silentLogger, whole))
    offsets.push(batch.baseOffset);
  return offsets;
}

describe("readPartition", () => {
  test("gives the batches that have records, ends behind the last offset whatever is there, and asks for nothing beyond it.", async () => {
    log.append([{ value: "a" }, { value: "b" }]);
    log.appendEmptied(3);
    log.append([{ value: "c" }]);
    log.mark(7, "commit");
    log.appendEmptied(2);
    expect(await read()).toEqual([0, 5]);
    // Turns in which a loop that had gone on would have asked.
    await new Promise((resolve) => setImmediate(resolve));
    expect(fetches).toBe(1);
  });

  test("of an empty range asks nothing.", async () => {
    expect(await read({ from: 5, to: 5 })).toEqual([]);
    expect(fetches).toBe(0);
  });

  test("throws when the partition cannot be read.", async () => {
    errorCode = 1;
    await expect(read({ to: 5 })).rejects.toThrow(OffsetOutOfRangeError);
  });

  test("stops waiting when its signal aborts.", async () => {
    const stop = new AbortController();
    const reading = read({ to: 5, signal: stop.signal });
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
  });
});

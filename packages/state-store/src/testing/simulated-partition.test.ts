import { type RecordBatch, RecordCursor } from "@eos/client";
import { describe, expect, it } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { SimulatedPartition, type SimulatedRecord } from "./simulated-partition.ts";

function records(...keys: string[]): SimulatedRecord[] {
  return keys.map((key) => ({ key: Buffer.from(key), value: Buffer.from(key), timestamp: 5, headers: null }));
}

/** `key@offset` of each record. */
function contents(batches: readonly RecordBatch[], from = 0): string[] {
  const cursor = new RecordCursor();
  const found: string[] = [];
  for (const batch of batches) {
    cursor.open(batch, from);
    while (cursor.next())
      found.push(`${cursor.buffer.toString("utf8", cursor.keyStart, cursor.keyEnd)}@${cursor.offset}`);
  }
  return found;
}

function read(log: SimulatedPartition, from = 0): string[] {
  return contents(log.read(from, "read_committed", 100), from);
}

describe("a simulated partition", () => {
  it("shows records once their transaction has committed, and markers take offsets", () => {
    const log = new SimulatedPartition({ topic: "t", partition: 0 });
    expect(log.append(1, records("a", "b"))).toBe(2);
    expect(read(log)).toEqual([]);
    expect(contents(log.read(0, "read_uncommitted", 100))).toEqual(["a@0", "b@1"]);
    log.end(1, "commit");
    log.append(1, records("c"));
    expect(log).toMatchObject({ lastStableOffset: 3, highWatermark: 4 });
    log.end(1, "abort");
    log.append(1, records("d"));
    log.end(1, "commit");
    expect(read(log)).toEqual(["a@0", "b@1", "d@5"]);
    expect(read(log, 5)).toEqual(["d@5"]);
    expect(log.read(6, "read_committed", 100).map(({ count, nextOffset }) => [count, nextOffset])).toEqual([[0, 7]]);
  });

  it("is stable up to the first open transaction", () => {
    const log = new SimulatedPartition({ topic: "t", partition: 0 });
    log.append(1, records("a"));
    log.append(2, records("b"));
    log.end(2, "commit");
    expect(log.lastStableOffset).toBe(0);
    expect(read(log)).toEqual([]);
    log.end(1, "commit");
    expect(read(log)).toEqual(["a@0", "b@1"]);
  });

  it("keeps the last record of each key when it is compacted, and the offsets behind each batch", () => {
    const log = new SimulatedPartition({ topic: "t", partition: 0 });
    log.append(1, records("a", "b", "c", "a"));
    log.end(1, "commit");
    log.append(1, records("x"));
    log.end(1, "abort");
    log.append(1, records("a"));
    log.end(1, "commit");
    log.compact();
    const batches = log.read(0, "read_committed", 100);
    expect(contents(batches)).toEqual(["b@1", "c@2", "a@7"]);
    expect(batches.map(({ nextOffset }) => nextOffset)).toEqual([4, 5, 7, 8, 9]);
  });
});

describe("a simulated cluster's reader", () => {
  it("waits for the end of an open transaction, and stops behind it", async () => {
    const cluster = new SimulatedCluster();
    const client = cluster.createClient();
    await client.admin.ensureTopics([{ topic: "t", partitions: 1 }]);
    const log = cluster.partition("t", 0);
    log.append(1, records("a"));
    const taken: string[] = [];
    const reading = (async () => {
      for await (const batch of client.readPartition({ topic: "t", partition: 0, from: 0, to: 1 })) {
        taken.push(...contents([batch]));
      }
    })();
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toEqual([]);
    cluster.end(1, "commit");
    await reading;
    expect(taken).toEqual(["a@0"]);
  });

  it("refuses an offset that is not there", async () => {
    const cluster = new SimulatedCluster();
    const client = cluster.createClient();
    await client.admin.ensureTopics([{ topic: "t", partitions: 1 }]);
    const reading = client.readPartition({ topic: "t", partition: 0, from: 3 });
    await expect(reading.next()).rejects.toMatchObject({ code: "EOS_OFFSET_OUT_OF_RANGE" });
  });
});

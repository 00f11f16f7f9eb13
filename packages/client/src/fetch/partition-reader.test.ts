import { silentLogger } from "@eos/core";
import { beforeEach, describe, expect, test } from "vitest";
import { FastClock } from "../fast-clock-fixture.ts";
import type { Cluster } from "../network/cluster.ts";
import { ByteReader } from "../protocol/byte-reader.ts";
import type { KafkaRequest } from "../protocol/request.ts";
import { LogFixture } from "../records/log-fixture.ts";
import { RecordCursor } from "../records/record-cursor.ts";
import { OffsetOutOfRangeError } from "./fetch-errors.ts";
import { type BatchChunk, PartitionReader, type PartitionReaderOptions } from "./partition-reader.ts";

const OFFSET_OUT_OF_RANGE = 1;

type Asked = readonly { readonly partition: number; readonly offset: number }[];

/** A broker that answers with all a partition has; a fetch that finds nothing is held until {@link release}. */
class LogCluster {
  readonly logs = new Map<number, LogFixture>();
  readonly codes = new Map<number, number>();
  readonly asked: Asked[] = [];
  /** Batches of a partition in one answer, at most. */
  batchesAtOnce = Infinity;
  mostInFlight = 0;
  #inFlight = 0;
  #release = (): void => {};

  log(partition = 0): LogFixture {
    let log = this.logs.get(partition);
    if (log === undefined) this.logs.set(partition, (log = new LogFixture()));
    return log;
  }

  topic(): Promise<void> {
    return Promise.resolve();
  }

  cachedTopic(): unknown {
    return { partitions: Array.from({ length: 64 }, () => ({ leader: 1 })) };
  }

  refreshMetadata(): Promise<void> {
    return Promise.resolve();
  }

  release(): void {
    this.#release();
  }

  async send(_node: number, request: KafkaRequest): Promise<unknown> {
    const asked = requested(request);
    this.asked.push(asked);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
    let parts = this.#parts(asked);
    if (parts.every(({ errorCode, bytes }) => errorCode === 0 && bytes.length === 0)) {
      await new Promise<void>((resolve) => {
        this.#release = resolve;
      });
      parts = this.#parts(asked);
    }
    this.#inFlight--;
    const payload = Buffer.concat(parts.map(({ bytes }) => bytes));
    let start = 0;
    const partitions = parts.map(({ partition, errorCode, bytes, lastStableOffset }) => {
      const recordsStart = start;
      start += bytes.length;
      return { partition, errorCode, lastStableOffset, aborted: [], recordsStart, recordsEnd: start };
    });
    return { errorCode: 0, payload, topics: [{ topic: "in", partitions }] };
  }

  #parts(asked: Asked) {
    return asked.map(({ partition, offset }) => {
      const log = this.log(partition);
      const errorCode = this.codes.get(partition) ?? 0;
      const found = log.batches.filter(({ lastOffset }) => lastOffset >= offset).slice(0, this.batchesAtOnce);
      const bytes = errorCode === 0 ? Buffer.concat(found.map((batch) => batch.bytes)) : Buffer.alloc(0);
      return { partition, errorCode, bytes, lastStableOffset: log.endOffset };
    });
  }
}

function requested(request: KafkaRequest): Asked {
  const reader = new ByteReader(request.body[0] as Buffer);
  reader.skip(8 + 4 + 4 + 1 + 4 + 4);
  return reader
    .array((r) => {
      r.string();
      return r.array((p) => {
        const partition = p.int32();
        p.int32();
        const offset = p.int64();
        p.skip(8 + 4);
        return { partition, offset };
      });
    })
    .flat();
}

let cluster: LogCluster;
let reader: PartitionReader;

beforeEach(() => {
  cluster = new LogCluster();
  reader = new PartitionReader(cluster as unknown as Cluster, new FastClock(), silentLogger);
});

function whole(options: Partial<PartitionReaderOptions> = {}): PartitionReaderOptions {
  const { partition = 0 } = options;
  return { topic: "in", partition, from: 0, to: cluster.log(partition).endOffset, ...options };
}

async function read(options: Partial<PartitionReaderOptions> = {}): Promise<number[]> {
  const offsets: number[] = [];
  for await (const batch of reader.read(whole(options))) offsets.push(batch.baseOffset);
  return offsets;
}

function chunksOf(options: Partial<PartitionReaderOptions> = {}): AsyncGenerator<BatchChunk> {
  return reader.readChunks(whole(options));
}

function valuesOf({ batches }: BatchChunk): string[] {
  const values: string[] = [];
  const cursor = new RecordCursor();
  for (const batch of batches) {
    cursor.open(batch);
    while (cursor.next()) values.push(cursor.buffer.toString("utf8", cursor.valueStart, cursor.valueEnd));
  }
  return values;
}

/** Turns in which a loop that goes on would have asked. */
async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("PartitionReader", () => {
  test("gives the batches that have records, ends behind the last offset whatever is there, and asks for nothing beyond it.", async () => {
    const log = cluster.log();
    log.append([{ value: "a" }, { value: "b" }]);
    log.appendEmptied(3);
    log.append([{ value: "c" }]);
    log.mark(7, "commit");
    log.appendEmptied(2);
    expect(await read()).toEqual([0, 5]);
    await turns();
    expect(cluster.asked).toHaveLength(1);
  });

  test("of an empty range asks nothing.", async () => {
    expect(await read({ from: 5, to: 5 })).toEqual([]);
    expect(cluster.asked).toEqual([]);
  });

  test("throws when the partition cannot be read, after what was fetched before; others are read on.", async () => {
    cluster.batchesAtOnce = 1;
    for (const partition of [0, 1]) for (const value of ["a", "b"]) cluster.log(partition).append([{ value }]);
    const failing = chunksOf({ to: 5 });
    const other = chunksOf({ partition: 1 });
    const first = failing.next();
    const firstOfOther = other.next();
    cluster.codes.set(0, OFFSET_OUT_OF_RANGE);
    await expect(first).rejects.toThrow(OffsetOutOfRangeError);
    expect(valuesOf((await firstOfOther).value)).toEqual(["a"]);
    expect(valuesOf((await other.next()).value)).toEqual(["b"]);

    cluster.codes.clear();
    const later = chunksOf({ to: 5 });
    expect(valuesOf((await later.next()).value)).toEqual(["a"]);
    await turns();
    cluster.codes.set(0, OFFSET_OUT_OF_RANGE);
    cluster.release();
    await turns();
    expect(valuesOf((await later.next()).value)).toEqual(["b"]);
    await expect(later.next()).rejects.toThrow(OffsetOutOfRangeError);
  });

  test("stops waiting when its signal aborts.", async () => {
    const stop = new AbortController();
    const reading = read({ to: 5, signal: stop.signal });
    await turns(1);
    stop.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
  });

  test("gives all that has arrived at a time, and the offset behind it, markers included.", async () => {
    const log = cluster.log();
    log.append([{ value: "a" }]);
    log.append([{ value: "b" }, { value: "c" }]);
    log.mark(7, "commit");
    const chunks = chunksOf();
    const { value: chunk } = await chunks.next();
    expect(valuesOf(chunk)).toEqual(["a", "b", "c"]);
    expect(chunk.nextOffset).toBe(4);
    expect((await chunks.next()).done).toBe(true);
  });

  test("fetches the next chunk while its consumer is busy with this one.", async () => {
    cluster.batchesAtOnce = 1;
    for (const value of ["a", "b", "c", "d"]) cluster.log().append([{ value }]);
    const chunks = chunksOf();
    expect(valuesOf((await chunks.next()).value)).toEqual(["a"]);
    await turns(20);
    expect(cluster.asked.flat().map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
    expect(valuesOf((await chunks.next()).value)).toEqual(["b", "c", "d"]);
  });

  test("reads partitions at the same time in the same requests, one under way.", async () => {
    cluster.batchesAtOnce = 1;
    const partitions = [0, 1, 2, 3];
    for (const partition of partitions) for (let i = 0; i < 10; i++) cluster.log(partition).append([{ value: "v" }]);
    const all = await Promise.all(
      partitions.map(async (partition) => {
        const offsets: number[] = [];
        for await (const { nextOffset } of chunksOf({ partition })) {
          offsets.push(nextOffset);
        }
        return offsets.at(-1);
      }),
    );
    expect(all).toEqual([10, 10, 10, 10]);
    expect(cluster.mostInFlight).toBe(1);
    expect(cluster.asked.length).toBeLessThan(20);
  });

  test("holds no more than a bound of all partitions together, and goes on when there is room.", async () => {
    cluster.batchesAtOnce = 1;
    const value = Buffer.alloc(1_000_000);
    const partitions = Array.from({ length: 40 }, (_, partition) => partition);
    for (const partition of partitions) for (let i = 0; i < 3; i++) cluster.log(partition).append([{ value }]);
    const readings = partitions.map((partition) => chunksOf({ partition }));
    const firsts = await Promise.all(readings.map((chunks) => chunks.next()));
    await turns(20);
    const fetched = (): number =>
      new Set(cluster.asked.flat().map(({ partition, offset }) => `${partition}@${offset}`)).size;
    // The first request was the first partition's alone, the second one all others'. Nothing is released: there is no third.
    expect(fetched()).toBe(41);
    expect(firsts.every(({ value: chunk }) => chunk.nextOffset === 1)).toBe(true);
    const seconds = Promise.all(readings.map((chunks) => chunks.next()));
    expect((await seconds).every(({ done }) => done === false)).toBe(true);
    await Promise.all(readings.map((chunks) => chunks.return(undefined)));
  });

  test("without an end reads what is written later, until its signal aborts, and asks nothing afterwards.", async () => {
    const stop = new AbortController();
    cluster.log().append([{ value: "a" }]);
    const chunks = reader.readChunks({ topic: "in", partition: 0, from: 0, signal: stop.signal });
    expect(valuesOf((await chunks.next()).value)).toEqual(["a"]);
    const second = chunks.next();
    await turns();
    cluster.log().append([{ value: "b" }]);
    cluster.release();
    expect(valuesOf((await second).value)).toEqual(["b"]);
    const third = chunks.next();
    await turns();
    const asked = cluster.asked.length;
    stop.abort(new Error("enough"));
    await expect(third).rejects.toThrow("enough");
    cluster.release();
    await turns();
    expect(cluster.asked).toHaveLength(asked);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import * as at from "./batch-layout.ts";
import { codecFor } from "./codecs.ts";
import { LogFixture } from "./log-fixture.ts";
import type { BatchReading } from "./record-batch-reader.ts";
import { readRecordBatches } from "./record-batch-reader.ts";
import { RecordCursor } from "./record-cursor.ts";
import { CorruptRecordError, UnsupportedBatchError } from "./record-errors.ts";

const READING: BatchReading = {
  topic: "orders",
  partition: 2,
  isolation: "read_committed",
  aborted: [],
  fetchOffset: 0,
  verifyCrc: true,
};

interface Seen {
  readonly offset: number;
  readonly value: string;
}

function read(bytes: Buffer, options: Partial<BatchReading> = {}): { records: Seen[]; nextOffset: number | undefined } {
  const reading = { ...READING, ...options };
  const batches = readRecordBatches(bytes, 0, bytes.length, reading);
  const cursor = new RecordCursor();
  const records: Seen[] = [];
  for (const batch of batches) {
    cursor.open(batch, reading.fetchOffset);
    while (cursor.next()) {
      const value = cursor.buffer.toString("utf8", Math.max(cursor.valueStart, 0), Math.max(cursor.valueEnd, 0));
      records.push({ offset: cursor.offset, value });
    }
  }
  return { records, nextOffset: batches.at(-1)?.nextOffset };
}

function values(...texts: string[]): { value: string }[] {
  return texts.map((value) => ({ value }));
}

describe("readRecordBatches", () => {
  it("gives batches with their offsets, and leaves out those before the fetch offset", () => {
    const log = new LogFixture();
    log.append(values("a", "b"));
    log.append(values("c", "d", "e"));
    log.append(values("f"));
    expect(read(log.bytesFrom(0))).toEqual({
      records: ["a", "b", "c", "d", "e", "f"].map((value, offset) => ({ offset, value })),
      nextOffset: 6,
    });
    const { records } = read(log.bytesFrom(0), { fetchOffset: 3 });
    expect(records.map(({ value }) => value)).toEqual(["d", "e", "f"]);
    expect(
      readRecordBatches(log.bytesFrom(0), 0, log.bytesFrom(0).length, { ...READING, fetchOffset: 3 }),
    ).toHaveLength(2);
  });

  it("tells what a batch is", () => {
    const log = new LogFixture();
    log.append(
      [
        { value: "a", timestamp: 5 },
        { value: "b", timestamp: 3 },
      ],
      { producerId: 9, transactional: true, codec: codecFor(1) },
    );
    log.mark(9, "commit");
    const bytes = log.bytesFrom(0);
    const [data, marker] = readRecordBatches(bytes, 0, bytes.length, READING);
    expect(data).toMatchObject({
      count: 2,
      baseOffset: 0,
      nextOffset: 2,
      baseTimestamp: 5,
      maxTimestamp: 5,
      timestampType: "create",
      producerId: 9,
      codecId: 1,
      isolated: "data",
    });
    expect(marker).toMatchObject({ count: 0, baseOffset: 2, nextOffset: 3, isolated: "control" });
    expect(data!.sizeInBytes + marker!.sizeInBytes).toBe(bytes.length);
  });

  it("reads on past batches that the cleaner has emptied", () => {
    const log = new LogFixture();
    log.appendEmptied(5, 1);
    log.append(values("a"));
    log.appendEmptied(3);
    expect(read(log.bytesFrom(0))).toEqual({ records: [{ offset: 5, value: "a" }], nextOffset: 9 });
  });

  it("reads on past a control batch that the cleaner has emptied", () => {
    const log = new LogFixture();
    log.appendEmptied(1, 4);
    const batch = log.batches[0]!.bytes;
    batch.writeInt16BE(at.CONTROL_BIT | at.TRANSACTIONAL_BIT, at.ATTRIBUTES_AT);
    expect(read(batch, { verifyCrc: false })).toEqual({ records: [], nextOffset: 1 });
  });

  it("gives every record the batch's timestamp with log-append time", () => {
    const log = new LogFixture();
    log.append(
      [
        { value: "a", timestamp: 10 },
        { value: "b", timestamp: 20 },
      ],
      { attributes: at.LOG_APPEND_TIME_BIT },
    );
    const bytes = log.bytesFrom(0);
    const [batch] = readRecordBatches(bytes, 0, bytes.length, READING);
    const cursor = new RecordCursor();
    cursor.open(batch!);
    const seen: number[] = [];
    while (cursor.next()) seen.push(cursor.timestamp);
    expect(batch!.timestampType).toBe("logAppend");
    expect(seen).toEqual([20, 20]);
  });

  it("leaves out an incomplete batch at the end, wherever it was cut", () => {
    const log = new LogFixture();
    log.append(values("a", "b"));
    const whole = log.bytesFrom(0).length;
    log.append(values("c"));
    const bytes = log.bytesFrom(0);
    for (let end = whole; end < bytes.length; end++) {
      expect(read(bytes.subarray(0, end)).nextOffset).toBe(2);
    }
  });

  it("refuses bytes without a whole batch, which would be fetched again for ever", () => {
    const log = new LogFixture();
    log.append(values("a"));
    const bytes = log.bytesFrom(0);
    expect(() => read(bytes.subarray(0, bytes.length - 1))).toThrow(CorruptRecordError);
    expect(() => read(bytes.subarray(0, 20))).toThrow("orders-2@0");
    expect(read(Buffer.alloc(0)).records).toEqual([]);
  });

  it("notices any flipped bit that the checksum covers, and says where", () => {
    const log = new LogFixture();
    log.append(values("first"));
    log.append(values("some value", "another"), { producerId: 3, transactional: true });
    const bytes = log.bytesFrom(1);
    fc.assert(
      fc.property(fc.integer({ min: at.CRC_AT, max: bytes.length - 1 }), fc.nat(7), (position, bit) => {
        const flipped = Buffer.from(bytes);
        flipped[position]! ^= 1 << bit;
        expect(() => read(flipped, { fetchOffset: 1 })).toThrow(CorruptRecordError);
        expect(() => read(flipped, { fetchOffset: 1 })).toThrow("orders-2@1");
      }),
    );
  });

  it("delivers what comes before a corrupt batch, and throws when it is the first", () => {
    const log = new LogFixture();
    log.append(values("a"));
    log.append(values("b"));
    log.batches[1]!.bytes[at.RECORDS_AT]! ^= 1;
    expect(read(log.bytesFrom(0))).toEqual({ records: [{ offset: 0, value: "a" }], nextOffset: 1 });
    expect(() => read(log.bytesFrom(1), { fetchOffset: 1 })).toThrow(CorruptRecordError);
    expect(() => read(log.bytesFrom(0), { fetchOffset: 1 })).toThrow(CorruptRecordError);
  });

  it("refuses other message formats and numbers beyond 2^53", () => {
    const log = new LogFixture();
    log.append(values("a"));
    const old = log.bytesFrom(0);
    old[at.MAGIC_AT] = 1;
    expect(() => read(old)).toThrow(UnsupportedBatchError);
    const late = log.bytesFrom(0);
    late.writeBigInt64BE(2n ** 60n, at.MAX_TIMESTAMP_AT);
    expect(() => read(late, { verifyCrc: false })).toThrow(UnsupportedBatchError);
  });

  it("refuses a batch length below the head's", () => {
    const log = new LogFixture();
    log.append(values("a"));
    for (const length of [-1, 0, 48, -0x8000_0000]) {
      const bytes = log.bytesFrom(0);
      bytes.writeInt32BE(length, at.BATCH_LENGTH_AT);
      expect(() => read(bytes)).toThrow(CorruptRecordError);
    }
  });

  it("refuses a compressed batch that cannot be decompressed", () => {
    const log = new LogFixture();
    log.append(values("a"), { codec: codecFor(1) });
    const bytes = log.bytesFrom(0);
    bytes.fill(0, at.RECORDS_AT);
    expect(() => read(bytes, { verifyCrc: false })).toThrow("gzip failed");
  });

  it("never reads beyond a batch, whatever its records say", () => {
    const log = new LogFixture();
    log.append([{ key: Buffer.from("key"), value: "value" }, { value: "é".repeat(80) }]);
    log.append(values("next"));
    const bytes = log.bytesFrom(0, 2);
    fc.assert(
      fc.property(fc.integer({ min: at.RECORDS_AT, max: bytes.length - 1 }), fc.nat(255), (position, byte) => {
        const damaged = Buffer.from(bytes);
        damaged[position] = byte;
        try {
          const [batch] = readRecordBatches(damaged, 0, damaged.length, { ...READING, verifyCrc: false });
          const cursor = new RecordCursor();
          cursor.open(batch!);
          while (cursor.next()) {
            const ends = [cursor.keyEnd, cursor.valueEnd, cursor.headersEnd];
            expect(Math.max(...ends)).toBeLessThanOrEqual(damaged.length);
            expect(cursor.headersStart).toBeLessThan(cursor.headersEnd);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptRecordError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

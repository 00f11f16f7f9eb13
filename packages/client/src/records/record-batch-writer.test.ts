import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BatchBuffers } from "./batch-buffers.ts";
import { codecFor, loadCodec } from "./codecs.ts";
import type { Codec } from "./codecs.ts";
import type { BatchSeal } from "./record-batch-writer.ts";
import { RecordBatchWriter } from "./record-batch-writer.ts";
import { readRecordBatches } from "./record-batch-reader.ts";
import { RecordCursor } from "./record-cursor.ts";
import { RecordTooLargeError } from "./record-errors.ts";

await loadCodec("zstd");

const SEAL: BatchSeal = { producerId: 7, producerEpoch: 3, baseSequence: 11, transactional: true, codec: null };
const READING = {
  topic: "t",
  partition: 0,
  isolation: "read_committed",
  aborted: [],
  fetchOffset: 0,
  verifyCrc: true,
} as const;
const NONE = Buffer.alloc(0);

interface Row {
  timestamp: number;
  key: Buffer | null;
  value: string | Buffer | null;
  headers: Buffer;
}

const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const row: fc.Arbitrary<Row> = fc.record({
  timestamp: fc.oneof(
    fc.integer({ min: -1, max: 2_000_000_000_000 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_100 }),
    fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
  ),
  key: fc.option(bytes(200)),
  value: fc.option(
    fc.oneof(
      bytes(300),
      fc.string({ maxLength: 200 }),
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.integer({ min: 0, max: 12_000 }).map((length) => "é".repeat(length)),
    ),
  ),
  headers: fc.oneof(
    fc.constant(Buffer.of(0)),
    bytes(60).map((value) => headerSection(value)),
  ),
});

function headerSection(value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(2, 2, 104, value.length * 2).subarray(0, 4), value]);
}

/** One string a row: comparing thousands of buffers is slow. */
function printed(rows: readonly Row[]): string[] {
  return rows.map(({ timestamp, key, value, headers }) =>
    [timestamp, key?.toString("hex"), asBytes(value)?.toString("hex"), headers.toString("hex")].join(" "),
  );
}

/** As bytes, whatever they were given as. */
function asBytes(value: string | Buffer | null): Buffer | null {
  return typeof value === "string" ? Buffer.from(value) : value;
}

function append(writer: RecordBatchWriter, { timestamp, key, value, headers }: Row, way: "value" | "range"): boolean {
  const source = Buffer.concat([Buffer.of(99), key ?? NONE]);
  const keyStart = key === null ? -1 : 1;
  const keyEnd = key === null ? -1 : source.length;
  const section = headers.length === 1 ? null : headers;
  if (way === "value") return writer.append(timestamp, source, keyStart, keyEnd, value, section, 0, headers.length);
  const given = asBytes(value);
  const valueSource = Buffer.concat([Buffer.of(1, 2), given ?? NONE]);
  const valueStart = given === null ? -1 : 2;
  const valueEnd = given === null ? -1 : valueSource.length;
  return writer.appendRange(
    timestamp,
    source,
    keyStart,
    keyEnd,
    valueSource,
    valueStart,
    valueEnd,
    section,
    0,
    headers.length,
  );
}

function readAll(batch: Buffer): Row[] {
  const rows: Row[] = [];
  const cursor = new RecordCursor();
  for (const each of readRecordBatches(batch, 0, batch.length, READING)) {
    cursor.open(each);
    while (cursor.next()) {
      if (cursor.offset !== rows.length) throw new Error(`offset ${cursor.offset} at record ${rows.length}`);
      const range = (start: number, end: number): Buffer => Buffer.from(cursor.buffer.subarray(start, end));
      rows.push({
        timestamp: cursor.timestamp,
        key: cursor.keyStart < 0 ? null : range(cursor.keyStart, cursor.keyEnd),
        value: cursor.valueStart < 0 ? null : range(cursor.valueStart, cursor.valueEnd),
        headers: range(cursor.headersStart, cursor.headersEnd),
      });
    }
  }
  return rows;
}

function roundTrip(rows: readonly Row[], way: "value" | "range", codec: Codec | null): void {
  const writer = new RecordBatchWriter(new BatchBuffers(), 0, 4_000_000);
  for (const each of rows) expect(append(writer, each, way)).toBe(true);
  const size = writer.sizeInBytes;
  const sealed = writer.seal({ ...SEAL, codec });
  if (codec === null) expect(sealed.length).toBe(size);
  expect(printed(readAll(sealed))).toEqual(printed(rows));
}

function plain(value: string | null, key: string | null = null, timestamp = 1_000): Row {
  return { timestamp, key: key === null ? null : Buffer.from(key), value, headers: Buffer.of(0) };
}

describe("RecordBatchWriter", () => {
  it("writes what the reader reads back, whatever the records", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), fc.constantFrom("value", "range"), (rows, way) => {
        roundTrip(rows, way, null);
      }),
    );
  });

  it.each([1, 2, 3, 4])("writes what the reader reads back with codec %d", (id) => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 10 }), (rows) => roundTrip(rows, "value", codecFor(id))),
      { numRuns: 30 },
    );
  });

  it("writes the batch that Kafka's format describes", () => {
    const writer = new RecordBatchWriter(new BatchBuffers(), 0);
    append(writer, plain("v", "k", 1_000), "value");
    append(writer, { ...plain(null, null, 998), headers: Buffer.of(2, 2, 104, 1) }, "value");
    append(writer, plain("é", "", 1_500), "value");
    const sealed = writer.seal({ ...SEAL, producerId: 2n ** 40n });
    // base offset, length, leader epoch, magic | CRC | attributes, last delta, base and max timestamp, id, epoch, sequence, count
    expect(sealed.subarray(0, 17).toString("hex")).toBe(`${"00".repeat(8)}${"0000004e"}${"ffffffff"}${"02"}`);
    expect(sealed.subarray(21, 61).toString("hex")).toBe(
      [
        "0010",
        "00000002",
        "00000000000003e8",
        "00000000000005dc",
        "0000010000000000",
        "0003",
        "0000000b",
        "00000003",
      ].join(""),
    );
    expect(sealed.subarray(61).toString("hex")).toBe(
      [
        "10" + "00" + "00" + "00" + "026b" + "0276" + "00",
        "12" + "00" + "03" + "02" + "01" + "01" + "02026801",
        "12" + "00" + "e807" + "04" + "00" + "04c3a9" + "00",
      ].join(""),
    );
  });

  it("says it is full before it exceeds its limit, and then holds what it took so far", () => {
    const maxBytes = 2_000;
    const writer = new RecordBatchWriter(new BatchBuffers(), 0, maxBytes);
    const rows: Row[] = [];
    while (append(writer, plain("x".repeat(90), `key-${rows.length}`), "value"))
      rows.push(plain("", `key-${rows.length}`));
    expect(writer.count).toBe(rows.length);
    expect(writer.sizeInBytes).toBeLessThanOrEqual(maxBytes);
    expect(writer.sizeInBytes).toBeGreaterThan(maxBytes - 120);
    expect(readAll(writer.seal(SEAL)).map(({ key }) => String(key))).toEqual(rows.map(({ key }) => String(key)));
  });

  it("uses its limit to the last byte, in every way to append", () => {
    for (const text of ["x".repeat(700), "é".repeat(350), "€".repeat(233) + "x"]) {
      for (const way of ["value", "range"] as const) {
        const probe = new RecordBatchWriter(new BatchBuffers(), 0);
        append(probe, plain(text, "k"), way);
        append(probe, plain(text, "k"), way);
        const exact = new RecordBatchWriter(new BatchBuffers(), 0, probe.sizeInBytes);
        expect([append(exact, plain(text, "k"), way), append(exact, plain(text, "k"), way)]).toEqual([true, true]);
        expect(readAll(exact.seal(SEAL))).toHaveLength(2);
        const short = new RecordBatchWriter(new BatchBuffers(), 0, probe.sizeInBytes - 1);
        expect([append(short, plain(text, "k"), way), append(short, plain(text, "k"), way)]).toEqual([true, false]);
      }
    }
  });

  it("refuses a record that does not fit into an empty batch, and stays usable", () => {
    const writer = new RecordBatchWriter(new BatchBuffers(), 0, 1_000);
    expect(() => append(writer, plain("x".repeat(1_000)), "value")).toThrow(RecordTooLargeError);
    expect(() => append(writer, plain("x".repeat(1_000)), "range")).toThrow(/of 1070 bytes .* at most 1000 bytes/);
    expect(append(writer, plain("small"), "value")).toBe(true);
    expect(append(writer, plain("x".repeat(1_000)), "value")).toBe(false);
    expect(readAll(writer.seal(SEAL))).toHaveLength(1);
  });

  it("grows through the sizes of the pool and gives every buffer back", () => {
    const buffers = new BatchBuffers();
    const writer = new RecordBatchWriter(buffers, 0);
    let count = 0;
    while (append(writer, plain("x".repeat(1_000), `${count}`), "value")) count++;
    expect(buffers.idleBytes).toBe(16_384 + 65_536 + 262_144);
    expect(readAll(writer.seal(SEAL))).toHaveLength(count);
    writer.free();
    writer.free();
    expect(buffers.idleBytes).toBe(16_384 + 65_536 + 262_144 + 1_048_576);
  });

  it("seals to the same bytes again, and to others when the epoch is another", () => {
    const codec = codecFor(1);
    for (const seal of [SEAL, { ...SEAL, codec }]) {
      const writer = new RecordBatchWriter(new BatchBuffers(), 0);
      append(writer, plain("value", "key"), "value");
      const first = Buffer.from(writer.seal(seal));
      expect(writer.seal(seal)).toEqual(first);
      const second = writer.seal({ ...seal, producerEpoch: 4 });
      expect(second).not.toEqual(first);
      expect(second.readInt16BE(51)).toBe(4);
      expect(readAll(second)).toHaveLength(1);
    }
  });

  it("takes nothing after it was sealed or freed", () => {
    const writer = new RecordBatchWriter(new BatchBuffers(), 0);
    expect(() => writer.seal(SEAL)).toThrow("without records");
    append(writer, plain("value"), "value");
    writer.seal(SEAL);
    expect(() => append(writer, plain("value"), "value")).toThrow("sealed or freed");
    writer.free();
    expect(() => append(writer, plain("value"), "range")).toThrow("sealed or freed");
    expect(() => writer.seal(SEAL)).toThrow("freed record batch");
  });

  it("refuses a timestamp that is no safe integer, and stays usable", () => {
    const writer = new RecordBatchWriter(new BatchBuffers(), 0);
    expect(() => append(writer, plain("a", null, 1.5), "value")).toThrow(RangeError);
    expect(() => append(writer, plain("a", null, Number.NaN), "value")).toThrow(RangeError);
    append(writer, plain("a", null, 5), "value");
    expect(() => append(writer, plain("b", null, 5.5), "range")).toThrow(RangeError);
    append(writer, plain("c", null, 6), "value");
    expect(readAll(writer.seal(SEAL)).map(({ value }) => String(value))).toEqual(["a", "c"]);
  });
});

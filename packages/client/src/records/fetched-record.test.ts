import type { Serde } from "@eos/core";
import { createHeaders, SerdeError, stringSerde } from "@eos/core";
import { describe, expect, it } from "vitest";

import { type FetchedRecord, RecordSource } from "./fetched-record.ts";
import { HeaderEncoder } from "./header-bytes.ts";
import type { FixtureRecord } from "./log-fixture.ts";
import { LogFixture } from "./log-fixture.ts";
import { readRecordBatches } from "./record-batch-reader.ts";
import { RecordCursor } from "./record-cursor.ts";
import { CorruptRecordError, RecordDeserializationError } from "./record-errors.ts";

function fetched<K, V>(record: FixtureRecord, keySerde: Serde<K>, valueSerde: Serde<V>): FetchedRecord<K, V> {
  const log = new LogFixture();
  log.append([record]);
  const bytes = log.bytesFrom(0);
  const reading = {
    topic: "in",
    partition: 3,
    isolation: "read_committed",
    aborted: [],
    fetchOffset: 0,
    verifyCrc: true,
  } as const;
  const [batch] = readRecordBatches(bytes, 0, bytes.length, reading);
  const c = new RecordCursor();
  c.open(batch!);
  c.next();
  const source = new RecordSource("in", 3, keySerde, valueSerde);
  return c.record(source);
}

function sectionOf(headers: Parameters<typeof createHeaders>[0]): Buffer {
  const encoder = new HeaderEncoder();
  encoder.encode(createHeaders(headers));
  return Buffer.from(encoder.buffer.subarray(0, encoder.length));
}

const failing: Serde<string> = {
  serialize: String,
  deserialize() {
    throw new Error("not today");
  },
};

describe("FetchedRecord", () => {
  it("is a record with everything that was written", () => {
    const headers = sectionOf({ a: ["1", "2"], b: null });
    const record = fetched({ timestamp: 123, key: Buffer.from("k"), value: "é", headers }, stringSerde, stringSerde);
    const { topic, partition, offset, timestamp, key, value } = record;
    expect({ topic, partition, offset, timestamp, key, value }).toEqual({
      topic: "in",
      partition: 3,
      offset: 0,
      timestamp: 123,
      key: "k",
      value: "é",
    });
    expect(record.headers).toEqual(createHeaders({ a: ["1", "2"], b: null }));
    expect(record.headers).toBe(record.headers);
    expect(record.hasHeaders).toBe(true);
  });

  it("has null for a null key and a tombstone, without asking a serde, and no headers", () => {
    const record = fetched({ value: null }, failing, failing);
    expect([record.key, record.value, record.hasHeaders]).toEqual([null, null, false]);
    expect(Object.keys(record.headers)).toEqual([]);
  });

  it("decodes once, when it is first read, and hands the headers to a serde that reads bytes", () => {
    const calls: unknown[] = [];
    const serde: Serde<string> = {
      serialize: String,
      deserialize(topic, bytes, headers) {
        calls.push([topic, String(bytes), String(headers?.["type"])]);
        return `read ${String(bytes)}`;
      },
    };
    const record = fetched({ value: "v", headers: sectionOf({ type: "x" }) }, serde, serde);
    expect(calls).toEqual([]);
    expect([record.value, record.value]).toEqual(["read v", "read v"]);
    expect(calls).toEqual([["in", "v", "x"]]);
  });

  it("says which record a serde could not read", () => {
    const record = fetched({ key: Buffer.from("secret"), value: "secret" }, failing, failing);
    for (const origin of ["key", "value"] as const) {
      let thrown: unknown;
      try {
        void record[origin];
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(SerdeError);
      expect(thrown).toBeInstanceOf(RecordDeserializationError);
      expect(thrown).toMatchObject({
        code: "EOS_SERDE",
        severity: "abortable",
        topic: "in",
        partition: 3,
        offset: 0,
        origin,
      });
      expect((thrown as Error).message).toBe(`The ${origin} of in-3@0 cannot be deserialised: not today`);
      expect((thrown as Error).cause).toMatchObject({ message: "not today" });
    }
  });

  it("says which record has headers that cannot be read", () => {
    const record = fetched({ value: "v", headers: Buffer.of(4, 2, 97, 1) }, stringSerde, stringSerde);
    expect(() => record.headers).toThrow(CorruptRecordError);
    expect(() => record.headers).toThrow("in-3@0");
  });
});

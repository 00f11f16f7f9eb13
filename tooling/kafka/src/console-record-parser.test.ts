import fc from "fast-check";
import { expect, test } from "vitest";
import { type CommittedRecord, ConsoleRecordParser } from "./console-record-parser.ts";

/** Prints a record as Kafka's DefaultMessageFormatter does. */
function print(parser: ConsoleRecordParser, record: CommittedRecord): Buffer {
  const property = (name: string): Buffer => {
    const found = parser.formatterProperties.find((candidate) => candidate.startsWith(`${name}=`));
    return Buffer.from((found as string).slice(name.length + 1));
  };
  const bytes = (value: Buffer | null): Buffer => value ?? property("null.literal");
  const headers = Object.entries(record.headers).flatMap(([name, values]) =>
    [values].flat().map((value) => Buffer.concat([Buffer.from(`${name}:`), bytes(value as Buffer | null)])),
  );
  const separated = headers.flatMap((header, index) =>
    index === 0 ? [header] : [property("headers.separator"), header],
  );
  const field = property("key.separator");
  return Buffer.concat([
    Buffer.from(record.timestamp < 0 ? "NO_TIMESTAMP" : `CreateTime:${record.timestamp}`),
    field,
    Buffer.from(`Partition:${record.partition}`),
    field,
    Buffer.from(`Offset:${record.offset}`),
    field,
    headers.length === 0 ? Buffer.from("NO_HEADERS") : Buffer.concat(separated),
    field,
    bytes(record.key),
    field,
    bytes(record.value),
    property("line.separator"),
  ]);
}

const bytes = fc.option(fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)));
const names = fc.string({ maxLength: 8, unit: "grapheme" }).filter((name) => !name.includes(":"));
const headers = fc.dictionary(names, fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 3 })), { maxKeys: 4 });
const records: fc.Arbitrary<CommittedRecord> = fc.record({
  partition: fc.nat(),
  offset: fc.maxSafeNat(),
  timestamp: fc.maxSafeInteger().map((time) => Math.max(-1, time)),
  key: bytes,
  value: bytes,
  headers: headers.map((map) => Object.assign(Object.create(null), map)),
});

test("Whatever the bytes are and however the output is cut, the records come back as they were.", () => {
  fc.assert(
    fc.property(fc.array(records, { maxLength: 5 }), fc.integer({ min: 1, max: 64 }), (expected, chunkBytes) => {
      const parser = new ConsoleRecordParser();
      const output = Buffer.concat(expected.map((record) => print(parser, record)));
      const actual: CommittedRecord[] = [];
      for (let start = 0; start < output.length; start += chunkBytes) {
        actual.push(...parser.push(output.subarray(start, start + chunkBytes)));
      }
      expect(actual).toEqual(expected);
    }),
  );
});

test("A line that the formatter cannot have printed is an error, not a record.", () => {
  const parser = new ConsoleRecordParser();
  const end = parser.formatterProperties.find((property) => property.startsWith("line.separator=")) as string;
  const line = Buffer.from(`[2026-01-01] WARN something${end.slice("line.separator=".length)}`);
  expect(() => parser.push(line)).toThrow(/unexpected line: \[2026-01-01\] WARN something/);
});

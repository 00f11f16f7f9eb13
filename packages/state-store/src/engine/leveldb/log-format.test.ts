import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeLog } from "./log-fixture.ts";
import { readLog } from "./log-format.ts";

/** Sizes around those where a record does not fit into the rest of its block. */
const sizeArbitrary = fc.oneof(
  fc.nat({ max: 100 }),
  fc.integer({ min: 32_740, max: 32_780 }),
  fc.integer({ min: 60_000, max: 70_000 }),
);
/** Each record is full of its own number. */
const recordsArbitrary = fc
  .array(sizeArbitrary, { minLength: 1, maxLength: 8 })
  .map((sizes) => sizes.map((size, n) => Buffer.alloc(size, n + 1)));

describe("LevelDB's log", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(recordsArbitrary, (records) => {
        const reading = readLog(writeLog(records));
        expect(reading.damage).toBe("none");
        expect(reading.records).toHaveLength(records.length);
        expect(isBeginning(reading.records, records)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it("cut off anywhere, as by a crash, it is its beginning and not damaged", () => {
    fc.assert(
      fc.property(recordsArbitrary, fc.double({ min: 0, max: 1, noNaN: true }), (records, part) => {
        const bytes = writeLog(records);
        const reading = readLog(bytes.subarray(0, Math.floor(bytes.length * part)));
        expect(isBeginning(reading.records, records)).toBe(true);
        // A block that is cut off exactly at its end looks whole, so the length in it is taken for wrong.
        if (reading.damage !== "none") expect(reading.damage).toBe("tail");
      }),
      { numRuns: 100 },
    );
  });

  it("with a changed byte it is never another record, and whatever is missing in the middle is a hole", () => {
    fc.assert(
      fc.property(
        recordsArbitrary,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.integer({ min: 1, max: 255 }),
        (records, part, mask) => {
          const bytes = writeLog(records);
          bytes[Math.floor(bytes.length * part)]! ^= mask;
          const reading = readLog(bytes);
          const places = reading.records.map((record) => records.findIndex((original) => original.equals(record)));
          expect(places).toEqual(places.toSorted((a, b) => a - b));
          expect(places).not.toContain(-1);
          const isPrefix = reading.records.length === 0 || places.at(-1) === places.length - 1;
          if (!isPrefix) expect(reading.damage).toBe("hole");
        },
      ),
      { numRuns: 200 },
    );
  });

  it("goes on behind a damaged block, as LevelDB does", () => {
    const records = Array.from({ length: 200 }, (_, n) => Buffer.alloc(1_000, n));
    const bytes = writeLog(records);
    bytes[40_000]! ^= 1;
    const reading = readLog(bytes);
    expect(reading.damage).toBe("hole");
    expect(reading.records.at(-1)).toEqual(records.at(-1));
    expect(reading.records.length).toBeGreaterThan(150);
  });

  it("is damaged at its tail when nothing readable follows", () => {
    const bytes = writeLog([Buffer.from("first"), Buffer.from("second")]);
    bytes[bytes.length - 1]! ^= 1;
    expect(readLog(bytes)).toEqual({ records: [Buffer.from("first")], damage: "tail" });
  });
});

/** Comparing kilobytes with `toEqual` takes seconds. */
function isBeginning(some: readonly Buffer[], all: readonly Buffer[]): boolean {
  return some.every((record, i) => all[i]?.equals(record));
}

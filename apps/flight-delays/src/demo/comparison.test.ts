import { createHeaders } from "@eos/core";
import type { CommittedRecord } from "@tooling/kafka";
import { describe, expect, it } from "vitest";
import { parseAirports } from "../airports.ts";
import type { FlightRow } from "../dataset.ts";
import { enrichFlight } from "../topology.ts";
import { Comparison } from "./comparison.ts";
import { describeDifferences, verdict } from "./verdict.ts";

const AIRPORTS = parseAirports("iata,…\nSAN,Lindbergh,San Diego,CA,USA,32.7,-117.2\n");
const ROWS: readonly FlightRow[] = [
  { key: "SAN", timestamp: 1_000, flight: { delay: 1, origin: "SAN", destination: "SJC" } },
  { key: "SAN", timestamp: 2_000, flight: { delay: 20, origin: "SAN", destination: "ABQ" } },
  { key: null, timestamp: 3_000, flight: { delay: 300, time: 3 } },
];

/** The record that row `row` must become, read at the output offset `offset`. */
function record(row: number, offset: number, source = `flights-0@${row}`): CommittedRecord {
  const { key, timestamp, flight } = ROWS[row] as FlightRow;
  return {
    partition: 0,
    offset,
    timestamp,
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(JSON.stringify(enrichFlight(flight, AIRPORTS))),
    headers: createHeaders({ "flight-row": String(row), "eos-source": source }),
  };
}

function compare(records: readonly CommittedRecord[]): ReturnType<Comparison["differences"]> {
  const comparison = new Comparison(ROWS, AIRPORTS, "out", [{ partition: 0, stable: 50, end: 60 }]);
  for (const each of records) comparison.add(each);
  return comparison.differences();
}

describe("Comparison", () => {
  it("finds nothing when each row became its record once, in order", () => {
    expect(compare([record(0, 0), record(1, 1), record(2, 3)])).toEqual([]);
  });

  it("finds a row that has no record", () => {
    expect(compare([record(0, 0), record(2, 1)])).toEqual([{ kind: "lost", row: 1, place: "" }]);
  });

  it("finds a row that has two, and names both offsets of the second", () => {
    expect(compare([record(0, 0), record(1, 1), record(2, 2), record(1, 3)])).toEqual([
      { kind: "duplicated", row: 1, place: "out-0@3 from flights-0@1" },
    ]);
  });

  it.each([
    ["value", { value: Buffer.from("{}") }],
    ["tombstone", { value: null }],
    ["key", { key: Buffer.from("SJC") }],
    ["timestamp", { timestamp: 1_001 }],
  ])("finds a record with another %s", (_what, change) => {
    expect(compare([{ ...record(0, 0), ...change }, record(1, 1), record(2, 2)])).toEqual([
      { kind: "changed", row: 0, place: "out-0@0 from flights-0@0" },
    ]);
  });

  it("finds a record that came behind a later one of its input partition", () => {
    expect(compare([record(1, 0), record(0, 1), record(2, 2, "flights-1@0")])).toEqual([
      { kind: "reordered", row: 0, place: "out-0@1 from flights-0@0" },
    ]);
  });

  it("finds a record of the transaction that nobody committed", () => {
    expect(compare([record(0, 0), record(1, 50), record(2, 60)])).toEqual([
      { kind: "uncommitted", row: 1, place: "out-0@50 from flights-0@1" },
    ]);
  });

  it("finds records that belong to no row or do not say where they came from", () => {
    const foreign = { ...record(0, 7), headers: createHeaders({ "flight-row": "99" }) };
    const unnamed = { ...record(2, 8), headers: createHeaders({ "flight-row": "2" }) };
    expect(compare([record(0, 0), record(1, 1), foreign, unnamed])).toEqual([
      { kind: "unknown", row: -1, place: "out-0@7 from ?" },
      { kind: "reordered", row: 2, place: "out-0@8 from ?" },
    ]);
  });
});

describe("verdict", () => {
  it("is one line with the counts", () => {
    expect(verdict(3, { records: 3, differences: [] })).toBe("EXACTLY-ONCE OK in=3 out=3 lost=0 duplicated=0");
    const differences = compare([record(0, 0), record(0, 1)]);
    expect(verdict(3, { records: 2, differences })).toBe(
      "EXACTLY-ONCE VIOLATED in=3 out=2 lost=2 duplicated=1 changed=0 reordered=0 uncommitted=0 unknown=0",
    );
    expect(describeDifferences(differences)).toContain("duplicated: out-0@1 from flights-0@0 (row 0 of the file)");
  });
});

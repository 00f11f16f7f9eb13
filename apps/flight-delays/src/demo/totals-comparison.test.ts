import { createHeaders } from "@eos/core";
import type { CommittedRecord } from "@tooling/kafka";
import { describe, expect, it } from "vitest";
import { TotalsComparison } from "./totals-comparison.ts";
import { describeTotalsDifferences, stateVerdict } from "./verdict.ts";

const FLIGHTS = [
  { origin: "SAN", destination: "SJC", delay: 10 },
  { origin: "SAN", destination: "ABQ", delay: -4 },
  { origin: "SAN", destination: "SJC", delay: 21 },
  { origin: "SAN", destination: "SJC", delay: null },
];

function record(offset: number, key: string, value: string | null, source = ""): CommittedRecord {
  return {
    partition: 0,
    offset,
    timestamp: 1_000,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: createHeaders({ "eos-source": source }),
  };
}

const FIRST = '{"route":"SAN-SJC","flights":1,"totalDelay":10,"meanDelay":10,"worstDelay":10}';
const SECOND = '{"route":"SAN-SJC","flights":2,"totalDelay":31,"meanDelay":15.5,"worstDelay":21}';
const OTHER = '{"route":"SAN-ABQ","flights":1,"totalDelay":-4,"meanDelay":-4,"worstDelay":-4}';
const ROWS: readonly CommittedRecord[] = [
  record(0, "SAN-SJC", FIRST, "in-0@0"),
  record(1, "SAN-ABQ", OTHER, "in-0@1"),
  record(2, "SAN-SJC", SECOND, "in-0@2"),
];
const CHANGES: readonly CommittedRecord[] = [
  record(0, "SAN-SJC", '{"flights":1,"totalDelay":10,"worstDelay":10}'),
  record(1, "SAN-ABQ", '{"flights":1,"totalDelay":-4,"worstDelay":-4}'),
  record(2, "SAN-SJC", '{"flights":2,"totalDelay":31,"worstDelay":21}'),
];
const STORE = new Map([
  ["SAN-SJC", '{"flights":2,"totalDelay":31,"worstDelay":21}'],
  ["SAN-ABQ", '{"flights":1,"totalDelay":-4,"worstDelay":-4}'],
]);

function compare(rows = ROWS, changes = CHANGES, store: ReadonlyMap<string, string> = STORE) {
  const comparison = new TotalsComparison("in", "out");
  for (const [offset, flight] of FLIGHTS.entries()) comparison.addFlight(record(offset, "SAN", JSON.stringify(flight)));
  for (const each of rows) comparison.addRow(each);
  for (const each of changes) comparison.addChange(each);
  const { routes } = comparison;
  return { routes, rows: comparison.rows, differences: comparison.differences(store) };
}

describe("TotalsComparison", () => {
  it("finds nothing when rows, store and changelog are what the flights give", () => {
    expect(compare()).toEqual({ routes: 2, rows: 3, differences: [] });
    expect(stateVerdict(compare())).toBe("STATE OK routes=2 rows=3 store=changelog=recomputed");
  });

  it.each([
    ["a row that is missing", [ROWS[1], ROWS[2]], "SAN-SJC"],
    ["a row that is there twice", [...ROWS, ROWS[1]], "SAN-ABQ"],
    ["rows that have changed places", [ROWS[2], ROWS[1], ROWS[0]], "SAN-SJC"],
    ["a row of another flight", [ROWS[0], ROWS[1], record(2, "SAN-SJC", SECOND, "in-0@3")], "SAN-SJC"],
    ["a row with another time", [ROWS[0], { ...ROWS[1], timestamp: 7 }, ROWS[2]], "SAN-ABQ"],
    ["a route that no flight has", [...ROWS, record(3, "SAN-XXX", OTHER, "in-0@1")], "SAN-XXX"],
  ])("finds %s", (_what, rows, route) => {
    const { differences } = compare(rows as CommittedRecord[]);
    expect(differences).toEqual([{ kind: "row", route, place: expect.any(String) }]);
  });

  it("says which row is wrong, where it lies, and what it is to be", () => {
    const { differences } = compare([ROWS[0], ROWS[1], record(5, "SAN-SJC", FIRST, "in-0@0")] as CommittedRecord[]);
    expect(describeTotalsDifferences(differences)).toEqual([
      `row of SAN-SJC: row 2: out-0@5 ${FIRST} at 1000 of in-0@0, but it is ${SECOND} at 1000 of in-0@2`,
    ]);
  });

  it("finds a store that is behind, and one that has more than there is", () => {
    const store = new Map([
      ["SAN-SJC", '{"flights":1,"totalDelay":10,"worstDelay":10}'],
      ["SAN-XXX", "{}"],
      ...[...STORE].slice(1),
    ]);
    const found = compare(ROWS, CHANGES, store);
    expect(found.differences.map(({ kind, route }) => `${kind} ${route}`)).toEqual(["store SAN-SJC", "store SAN-XXX"]);
    expect(stateVerdict(found)).toBe(
      "STATE VIOLATED routes=2 rows=3 wrong-routes=0 wrong-in-store=2 wrong-in-changelog=0",
    );
  });

  it("finds a changelog that lacks the last change, or has deleted a route", () => {
    expect(compare(ROWS, CHANGES.slice(0, 2)).differences).toMatchObject([{ kind: "changelog", route: "SAN-SJC" }]);
    expect(compare(ROWS, [...CHANGES, record(3, "SAN-ABQ", null)]).differences).toMatchObject([
      { kind: "changelog", route: "SAN-ABQ", place: expect.stringMatching(/^nothing, but/) },
    ]);
  });
});

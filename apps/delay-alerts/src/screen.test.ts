import { describe, expect, it } from "vitest";
import type { GroupView, LagView, PartitionView } from "./group-view.ts";
import { renderLogLine, renderScreen, type ScreenLine } from "./screen.ts";

const SIZE = { columns: 100, rows: 40 };

function partition(number: number, more: Partial<PartitionView> = {}): PartitionView {
  return { partition: number, member: 1, state: "OK", records: 0, seconds: 0, perSecond: 0, ...more };
}

const LAG: LagView = {
  ageMs: 12,
  state: "STALL",
  records: 1_812,
  seconds: 7.25,
  partitions: [
    partition(0, { records: 1_800, seconds: 7.25, perSecond: 1_234.4 }),
    partition(1, { state: "STALL", records: 12, seconds: null, member: 2 }),
    partition(2, { perSecond: null, member: null }),
  ],
};
const VIEW: GroupView = {
  groupId: "workers",
  input: "flights-enriched",
  output: "alerts",
  processId: 4711,
  state: "RUNNING",
  members: 2,
  flights: 20_000,
  flightsPerSecond: 1_834.4,
  alerts: 893,
  skipped: 1,
  failed: 1,
  lag: LAG,
  lagProblem: null,
};

const texts = (lines: readonly ScreenLine[]): string[] => lines.map(({ text }) => text);

describe("renderScreen", () => {
  it("shows the group, its totals, and the lag of every partition", () => {
    expect(texts(renderScreen(VIEW, SIZE))).toEqual([
      "delay-alerts  RUNNING  flights-enriched → alerts  group workers  pid 4711",
      "2 members, 1,834 flights/s, 20,000 flights, 893 alerts, 1 skipped, 1 failed attempt",
      "",
      "partition              state   records   seconds    rate/s    member",
      "flights-enriched-0        OK     1,800       7.3     1,234         1",
      "flights-enriched-1     STALL        12         –         0         2",
      "flights-enriched-2        OK         0       0.0         –         –",
      "all                    STALL     1,812       7.3     1,234",
      "",
      "+ one member more   - one less   q quit",
    ]);
  });

  it("marks a partition by its state", () => {
    const tones = renderScreen(VIEW, SIZE).map(({ tone }) => tone);
    expect(tones.slice(4, 7)).toEqual(["good", "bad", "good"]);
  });

  it("says that the lag was not measured yet, that it is old, and why it cannot be measured", () => {
    expect(texts(renderScreen({ ...VIEW, lag: null }, SIZE))).toContain("the lag has not been measured yet");
    const old = texts(renderScreen({ ...VIEW, lag: { ...LAG, ageMs: 12_300 }, lagProblem: "EOS_CONNECTION: …" }, SIZE));
    expect(old).toContainEqual(expect.stringMatching(/^all \(12 s ago\) +STALL/));
    expect(old).toContain("the lag cannot be measured: EOS_CONNECTION: …");
  });

  it("offers the keys only while they do something", () => {
    expect(texts(renderScreen({ ...VIEW, state: "NOT_RUNNING" }, SIZE)).at(-1)).toContain("all ");
  });

  it("shows those that are most behind, in their order, where there is no room for all", () => {
    const partitions = Array.from({ length: 100 }, (_, number) => partition(number, { records: (number * 37) % 100 }));
    const lines = texts(renderScreen({ ...VIEW, lag: { ...LAG, partitions } }, { columns: 100, rows: 12 }));
    expect(lines).toHaveLength(11);
    expect(lines.slice(4, 8)).toEqual([
      expect.stringMatching(/^flights-enriched-27 .* 99 /),
      expect.stringMatching(/^flights-enriched-54 .* 98 /),
      expect.stringMatching(/^flights-enriched-81 .* 97 /),
      "… and 97 less behind",
    ]);
  });

  it("never has a line longer than the terminal is wide, nor more lines than it is high", () => {
    const problem = { ...VIEW, lagProblem: "x".repeat(500) };
    for (let columns = 1; columns < 120; columns += 7) {
      for (let rows = 2; rows < 20; rows++) {
        const lines = renderScreen(problem, { columns, rows });
        expect(lines.length).toBeLessThan(rows);
        for (const { text } of lines) expect(text.length).toBeLessThanOrEqual(columns);
      }
    }
  });
});

describe("renderLogLine", () => {
  it("has the same in one line", () => {
    expect(renderLogLine(VIEW)).toBe(
      "RUNNING: 2 members, 1,834 flights/s, 20,000 flights, 893 alerts, 1 skipped, 1 failed attempt; " +
        "lag STALL, 1,812 records, 7.3 s (0: 1,800; 1: 12 STALL; 2: 0)",
    );
  });

  it("says why there is no lag, and how old it is", () => {
    expect(renderLogLine({ ...VIEW, lag: null })).toMatch(/; lag not measured yet$/);
    expect(renderLogLine({ ...VIEW, lag: null, lagProblem: "nobody answers" })).toMatch(
      /; lag unknown: nobody answers$/,
    );
    expect(renderLogLine({ ...VIEW, lag: { ...LAG, ageMs: 8_000 } })).toContain("7.3 s (8 s ago)");
  });
});

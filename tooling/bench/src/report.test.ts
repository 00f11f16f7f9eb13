import { describe, expect, it } from "vitest";
import { median, renderReport } from "./report.ts";

const columns = [{ figure: "rate", title: "records/s", digits: 0 }];

describe("median", () => {
  it("is the middle value of an odd number of values", () => {
    expect(median([3, 1, 2])).toBe(2);
  });

  it("is the mean of the middle two of an even number of values", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});

describe("renderReport", () => {
  it("shows medians with their range", () => {
    const rounds = new Map([["ours", [{ rate: 1000 }, { rate: 3000 }, { rate: 2000 }]]]);
    expect(renderReport("copy", columns, { rounds, notes: [] })).toContain("| ours | 2,000 (1,000–3,000) |");
  });

  it("takes ratios within each round before their median", () => {
    const rounds = new Map([
      ["ours", [{ rate: 100 }, { rate: 10 }, { rate: 40 }]],
      ["theirs", [{ rate: 50 }, { rate: 10 }, { rate: 10 }]],
    ]);
    expect(renderReport("copy", columns, { rounds, notes: [] })).toContain("- ours ÷ theirs: 2.00 (2.00, 1.00, 4.00)");
  });
});

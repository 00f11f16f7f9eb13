import { describe, expect, it } from "vitest";
import { addCounts, closingLine, countTests, type VitestReport } from "./test-counts.ts";

function reportOf(...files: { status: string; tests: string[] }[]): VitestReport {
  return {
    testResults: files.map(({ status, tests }, index) => ({
      name: `file-${index}`,
      status,
      assertionResults: tests.map((test) => ({ status: test, fullName: test })),
    })),
  };
}

describe("countTests", () => {
  it("adds up the tests of all files", () => {
    const report = reportOf(
      { status: "passed", tests: ["passed", "skipped", "todo"] },
      { status: "failed", tests: ["passed", "failed", "pending"] },
    );
    expect(countTests(report, 1)).toEqual({ passed: 2, failed: 1, skipped: 3 });
  });

  it("counts a file that did not load as one failure", () => {
    const report = reportOf({ status: "failed", tests: [] }, { status: "passed", tests: ["passed"] });
    expect(countTests(report, 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it("counts a run that failed although its tests passed as one failure", () => {
    expect(countTests(reportOf({ status: "passed", tests: ["passed"] }), 1)).toMatchObject({ passed: 1, failed: 1 });
  });

  it("counts a run that left no report as one failure", () => {
    expect(countTests(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe("closingLine", () => {
  it("names skipped tests only when there are some", () => {
    const counts = { passed: 12, failed: 0, skipped: 0 };
    expect(closingLine(counts)).toBe("12 passed, 0 failed");
    expect(closingLine(addCounts(counts, { passed: 1, failed: 2, skipped: 3 }))).toBe("13 passed, 2 failed, 3 skipped");
  });
});

import { describe, expect, it } from "vitest";
import type { VitestReport } from "../test-counts.ts";
import { verdictOf } from "./verdict.ts";

const TITLE = "keeps order";

function reportOf(...tests: { fullName: string; status: string }[]): VitestReport {
  return { testResults: [{ name: "a.test.ts", status: "failed", assertionResults: tests }] };
}

describe("verdictOf", () => {
  it("calls a mutant killed when its test failed and survived when it passed", () => {
    expect(verdictOf(reportOf({ fullName: "queue keeps order", status: "failed" }), TITLE)).toBe("killed");
    expect(verdictOf(reportOf({ fullName: "queue keeps order", status: "passed" }), TITLE)).toBe("survived");
  });

  it("lets no other test kill it", () => {
    const others = reportOf(
      { fullName: "queue keeps order", status: "passed" },
      { fullName: "queue keeps order of nothing", status: "failed" },
    );
    expect(verdictOf(others, TITLE)).toBe("survived");
  });

  it("calls it broken when its test did not run", () => {
    expect(verdictOf(undefined, TITLE)).toBe("broken");
    expect(verdictOf(reportOf(), TITLE)).toBe("broken");
    expect(verdictOf(reportOf({ fullName: "queue keeps order", status: "skipped" }), TITLE)).toBe("broken");
  });
});

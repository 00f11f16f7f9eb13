/** How many tests passed, failed and were skipped. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const noTests: TestCounts = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** The line that ends a test run, which machines read: `12 passed, 0 failed`, or `12 passed, 0 failed, 1 skipped`. */
export function closingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

/** The parts of vitest's (and Jest's) JSON report that count. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * Counts a vitest run. A test file that did not load has no tests in the report and counts as one failure; so does a
 * run that failed for a reason that is no test's, such as an unhandled rejection or a broker that did not start.
 */
export function countTests(report: VitestReport | undefined, exitCode: number): TestCounts {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const file of report?.testResults ?? []) {
    for (const test of file.assertionResults) {
      if (test.status === "passed") passed++;
      else if (test.status === "failed") failed++;
      else skipped++;
    }
    if (file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")) failed++;
  }
  return { passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed, skipped };
}

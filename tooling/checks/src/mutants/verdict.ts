import type { VitestReport } from "../test-counts.ts";

/**
 * What the test said about a mutant: `killed`, it failed; `survived`, it passed; `broken`, it did not run, so that a
 * failure would prove nothing.
 */
export type Verdict = "killed" | "survived" | "broken";

/** Judges by the one test with this title alone: a file that does not load, or an error elsewhere, kills nothing. */
export function verdictOf(report: VitestReport | undefined, title: string): Verdict {
  const ran = (report?.testResults ?? [])
    .flatMap((file) => file.assertionResults)
    .filter(({ fullName, status }) => fullName.endsWith(title) && (status === "passed" || status === "failed"));
  if (ran.length === 0) return "broken";
  return ran.some(({ status }) => status === "failed") ? "killed" : "survived";
}

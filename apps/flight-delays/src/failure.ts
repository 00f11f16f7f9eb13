import { EosError } from "@eos/core";

/** An error in one line: its code, what happened, and what to do about it. */
export function failureLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = EosError.is(error) ? `${error.code}: ` : "";
  const hint = EosError.is(error) && error.hint !== undefined ? ` — ${error.hint}` : "";
  return `${code}${error.message}${hint}`.replaceAll(/\s*\n\s*/g, " ");
}

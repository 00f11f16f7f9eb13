import { EosError } from "@eos/core";

/** An error as text: its code, what happened, and what to do about it. */
export function failureText(error: unknown): string {
  if (!EosError.is(error)) return error instanceof Error ? error.message : String(error);
  return `${error.code}: ${error.message}${error.hint === undefined ? "" : ` — ${error.hint}`}`;
}

/** The same in one line, for a log. */
export function failureLine(error: unknown): string {
  return failureText(error).replaceAll(/\s*\n\s*/g, " ");
}

import { EosError } from "@eos/core";

/** An error as one line: its code, what happened, and what to do about it. */
export function failureLine(error: unknown): string {
  return failureText(error).replaceAll(/\s*\n\s*/g, " ");
}

function failureText(error: unknown): string {
  if (!EosError.is(error)) return error instanceof Error ? error.message : String(error);
  return `${error.code}: ${error.message}${error.hint === undefined ? "" : ` — ${error.hint}`}`;
}

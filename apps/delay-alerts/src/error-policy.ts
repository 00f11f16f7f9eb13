import { EosError } from "@eos/core";
import type { ErrorAnswer } from "@eos/consumer-groups";

/** Errors of the record itself: it fails as often as it is tried. */
const BAD_RECORD_CODES: ReadonlySet<string> = new Set(["EOS_SERDE", "EOS_RECORD_TOO_LARGE"]);

/** A bad record is left out, an alert that the broker did not take is tried again, anything else ends the program. */
export function answerTo(error: unknown): ErrorAnswer {
  if (!EosError.is(error)) return "stop";
  if (BAD_RECORD_CODES.has(error.code)) return "skip";
  return error.severity === "fatal" ? "stop" : "retry";
}

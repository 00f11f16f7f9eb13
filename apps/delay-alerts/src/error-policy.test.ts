import { EosError, SerdeError } from "@eos/core";
import { describe, expect, it } from "vitest";
import { answerTo } from "./error-policy.ts";

const withSeverity = (severity: EosError["severity"]): EosError => new EosError("m", { code: "EOS_TEST", severity });

describe("answerTo", () => {
  it.each([
    ["a flight that is no JSON", new SerdeError("17 characters are not valid JSON", { topic: "t" }), "skip"],
    [
      "an alert that fits into no batch",
      new EosError("m", { code: "EOS_RECORD_TOO_LARGE", severity: "abortable" }),
      "skip",
    ],
    ["an alert that the broker did not take", withSeverity("abortable"), "retry"],
    ["a broker that is out of reach", withSeverity("retriable"), "retry"],
    ["what cannot get better", withSeverity("fatal"), "stop"],
    ["a defect of this program", new RangeError("Invalid time value"), "stop"],
  ])("to %s", (_what, error, answer) => {
    expect(answerTo(error)).toBe(answer);
  });
});

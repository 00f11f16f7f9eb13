import { EosError } from "@eos/core";
import { describe, expect, it } from "vitest";
import { failureLine, failureText } from "./failure.ts";

const withHint = new EosError("two\nlines", { code: "EOS_TEST", severity: "fatal", hint: "Do\n  this." });
const withoutHint = new EosError("one line", { code: "EOS_TEST", severity: "fatal" });

describe("a failure", () => {
  it.each([
    ["an error of ours, with its code and hint", withHint, "EOS_TEST: two\nlines — Do\n  this."],
    ["one without a hint", withoutHint, "EOS_TEST: one line"],
    ["any other error", new RangeError("too far"), "too far"],
    ["what is no error", "a string", "a string"],
  ])("is told as text: %s", (_what, error, text) => {
    expect(failureText(error)).toBe(text);
  });

  it("is told in one line for a log", () => {
    expect(failureLine(withHint)).toBe("EOS_TEST: two lines — Do this.");
  });
});

import { inspect } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { EosError, InvalidTransitionError, SerdeError } from "./errors.ts";

describe("EosError", () => {
  it("carries code, severity, hint and cause", () => {
    const cause = new Error("socket closed");
    const error = new EosError("it failed", { code: "EOS_TEST", severity: "retriable", hint: "Wait.", cause });
    expect(error).toMatchObject({
      message: "it failed",
      code: "EOS_TEST",
      severity: "retriable",
      hint: "Wait.",
      cause,
    });
    expect(error).toBeInstanceOf(Error);
  });

  it("has no cause property when there is no cause", () => {
    expect(new EosError("m", { code: "EOS_TEST", severity: "fatal" })).not.toHaveProperty("cause");
  });

  it("bears the name of its class, once, when it is printed", () => {
    const text = inspect(new SerdeError("bad", { topic: "t" }));
    expect(text).toMatch(/^SerdeError: bad/);
    expect(text).toContain("EOS_SERDE");
    expect(text).not.toContain("name:");
  });

  it("is recognised when another copy of the module made it", async () => {
    vi.resetModules();
    const copy = await import("./errors.ts");
    const foreign = new copy.SerdeError("bad", { topic: "t" });
    expect(foreign).not.toBeInstanceOf(EosError);
    expect(EosError.is(foreign)).toBe(true);
  });

  it.each([[undefined], [null], ["EOS_SERDE"], [new Error("x")], [{ code: "EOS_SERDE" }]])("is not %s", (other) => {
    expect(EosError.is(other)).toBe(false);
  });
});

describe("the errors of this package", () => {
  it("make a bad payload abortable and name its topic", () => {
    const error = new SerdeError("bad", { topic: "orders" });
    expect(error).toMatchObject({ code: "EOS_SERDE", severity: "abortable", topic: "orders" });
  });

  it("make an illegal transition fatal and say which", () => {
    const error = new InvalidTransitionError({ machine: "task 0_1", from: "closed", to: "running" });
    expect(error).toMatchObject({
      message: "task 0_1 cannot go from closed to running",
      code: "EOS_INVALID_TRANSITION",
      severity: "fatal",
      machine: "task 0_1",
      from: "closed",
      to: "running",
    });
  });
});

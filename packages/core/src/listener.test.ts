import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { callListener } from "./listener.ts";

describe("callListener", () => {
  it("passes the arguments and the receiver on", () => {
    const seen: unknown[] = [];
    const receiver = {};
    callListener(
      function (this: unknown, a: number, b: string) {
        seen.push(this, a, b);
      },
      receiver,
      "a test",
      1,
      "x",
    );
    expect(seen).toEqual([receiver, 1, "x"]);
  });

  it("turns what a listener throws into one process warning", async () => {
    const warnings: Error[] = [];
    const collect = (warning: Error): void => void warnings.push(warning);
    process.on("warning", collect);
    const failing = (): void => {
      throw new Error("observer bug");
    };
    callListener(failing, undefined, "the first");
    callListener(failing, undefined, "the first");
    const last = once(process, "warning");
    callListener(() => Promise.reject(new Error("async bug")), undefined, "the last");
    await last;
    await new Promise(setImmediate);
    process.off("warning", collect);
    expect(warnings.map((warning) => warning.message)).toEqual([
      "A listener of the first failed; its failures are ignored",
      "A listener of the last failed; its failures are ignored",
    ]);
    expect(warnings[0]).toMatchObject({ name: "EosListenerWarning", detail: expect.stringContaining("observer bug") });
  });
});

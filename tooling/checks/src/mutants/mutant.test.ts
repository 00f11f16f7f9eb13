import { describe, expect, it } from "vitest";
import { mutate } from "./mutant.ts";

const mutant = { name: "D9", file: "a.ts", find: "await send();", replace: "void send();" };

describe("mutate", () => {
  it("replaces the text, taking $ as it is", () => {
    expect(mutate("a(); await send(); b();", { ...mutant, replace: "$&$1" })).toBe("a(); $&$1 b();");
  });

  it("refuses a text that is gone or that is there more than once", () => {
    expect(() => mutate("a();", mutant)).toThrow("Mutant D9: a.ts does not have its text any more");
    expect(() => mutate("await send(); await send();", mutant)).toThrow("Mutant D9: a.ts has its text more than once");
  });
});

import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../workspace.ts";
import { mutants } from "./mutant-table.ts";
import { createMutatedCopy } from "./mutated-copy.ts";

describe("a mutated copy", () => {
  it("has the mutant only while it is worked on, leaves the original alone, and is gone afterwards", async () => {
    const mutant = mutants[0]!;
    const textIn = (root: string): string => readFileSync(join(root, mutant.file), "utf8");
    const original = textIn(repositoryRoot);
    const copy = createMutatedCopy();
    try {
      await copy.withMutant(mutant, async () => {
        expect(textIn(copy.root)).toContain(mutant.replace);
        expect(textIn(repositoryRoot)).toBe(original);
      });
      expect(textIn(copy.root)).toBe(original);
    } finally {
      copy[Symbol.dispose]();
    }
    expect(existsSync(copy.root)).toBe(false);
  });

  it("resolves packages of the workspace to the copy, so that dependents see the mutant", () => {
    using copy = createMutatedCopy();
    const core = realpathSync(join(copy.root, "packages/client/node_modules/@eos/core"));
    expect(core).toBe(join(copy.root, "packages/core"));
  });
});

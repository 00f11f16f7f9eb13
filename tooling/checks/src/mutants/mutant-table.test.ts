import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../workspace.ts";
import { mutate } from "./mutant.ts";
import { mutants } from "./mutant-table.ts";

function textOf(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}

describe("the mutants", () => {
  it.each(mutants)("$name still fits the code and has its test", (mutant) => {
    const text = textOf(mutant.file);
    expect(mutate(text, mutant)).not.toBe(text);
    expect(textOf(mutant.test.file)).toContain(JSON.stringify(mutant.test.title));
  });
});

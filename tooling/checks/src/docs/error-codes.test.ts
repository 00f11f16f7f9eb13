import { describe, expect, it } from "vitest";
import { writeTree } from "../temporary-tree.ts";
import { errorCodeProblems } from "./error-codes.ts";

const HEAD = "| code | package | severity | when | what to do |\n| --- | --- | --- | --- | --- |\n";

function tree(page: string): string {
  return writeTree({
    "packages/a/package.json": '{ "name": "@eos/a" }',
    "packages/a/src/errors.ts": 'raise({ code: "EOS_ONE" });\n// EOS_NOT_A_LITERAL',
    "packages/a/src/errors.test.ts": 'raise({ code: "EOS_TEST" });',
    "packages/b/package.json": '{ "name": "@eos/b" }',
    "packages/b/src/errors.ts": 'raise({ code: "EOS_TWO" });',
    "docs/errors.md": HEAD + page,
  });
}

describe("errorCodeProblems", () => {
  it("accepts a page that lists every code of the sources with its package", () => {
    expect(errorCodeProblems(tree("| `EOS_ONE` | `@eos/a` | |\n| `EOS_TWO` | `@eos/b` | |\n"))).toEqual([]);
  });

  it("names a code that the page lacks", () => {
    expect(errorCodeProblems(tree("| `EOS_ONE` | `@eos/a` | |\n"))).toEqual([
      "docs/errors.md: EOS_TWO of @eos/b is missing",
    ]);
  });

  it("names a code that no source has, one with the wrong package, and one that is there twice", () => {
    const rows = [
      "| `EOS_ONE` | `@eos/b` |",
      "| `EOS_TWO` | `@eos/b` |",
      "| `EOS_TWO` | `@eos/b` |",
      "| `EOS_GONE` | `@eos/a` |",
    ];
    expect(errorCodeProblems(tree(`${rows.join("\n")}\n`))).toEqual([
      "docs/errors.md: EOS_ONE is of @eos/a, not @eos/b",
      "docs/errors.md: EOS_TWO is there twice",
      "docs/errors.md: EOS_GONE is in no package",
    ]);
  });

  it("says so when the page is missing", () => {
    expect(errorCodeProblems(writeTree({}))).toEqual(["docs/errors.md is missing"]);
  });
});

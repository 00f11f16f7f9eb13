import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isTestFile, readIfPresent, sourceFiles, workspacePackages } from "../workspace.ts";

const ERRORS_PAGE = "docs/errors.md";
const CODE_LITERAL = /"(EOS_[A-Z0-9_]+)"/g;
/** `| `EOS_SERDE` | `@eos/core` | …` */
const TABLE_ROW = /^\|\s*`(EOS_[A-Z0-9_]+)`\s*\|\s*`([^`]+)`\s*\|/gm;

/** Differences between the error codes in the sources and the table in docs/errors.md, in both directions. */
export function errorCodeProblems(root: string): string[] {
  const page = readIfPresent(join(root, ERRORS_PAGE));
  if (page === undefined) return [`${ERRORS_PAGE} is missing`];
  const inSources = codesInSources(root);
  const inPage = new Map<string, string>();
  const problems: string[] = [];
  for (const [, code = "", owner = ""] of page.matchAll(TABLE_ROW)) {
    if (inPage.has(code)) problems.push(`${ERRORS_PAGE}: ${code} is there twice`);
    inPage.set(code, owner);
    const owners = inSources.get(code);
    if (owners === undefined) problems.push(`${ERRORS_PAGE}: ${code} is in no package`);
    else if (!owners.has(owner)) problems.push(`${ERRORS_PAGE}: ${code} is of ${[...owners].join(", ")}, not ${owner}`);
  }
  for (const [code, owners] of inSources) {
    if (!inPage.has(code)) problems.push(`${ERRORS_PAGE}: ${code} of ${[...owners].join(", ")} is missing`);
  }
  return problems;
}

function codesInSources(root: string): Map<string, Set<string>> {
  const codes = new Map<string, Set<string>>();
  for (const { name, folder } of workspacePackages(root)) {
    for (const path of sourceFiles(join(root, folder), (file) => /^src\/.*\.ts$/.test(file) && !isTestFile(file))) {
      for (const [, code = ""] of readFileSync(join(root, folder, path), "utf8").matchAll(CODE_LITERAL)) {
        codes.set(code, (codes.get(code) ?? new Set()).add(name));
      }
    }
  }
  return codes;
}

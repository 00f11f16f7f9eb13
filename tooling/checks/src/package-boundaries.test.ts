import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "./command.ts";
import { writeTree } from "./temporary-tree.ts";
import { repositoryRoot, workspacePackages } from "./workspace.ts";

interface SmallPackage {
  readonly tag: string;
  readonly imports?: string;
  readonly dependency?: string;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(repositoryRoot, path), "utf8"));
}

/** A workspace of these packages under the rules of the real turbo.json. */
async function boundaries(packages: Readonly<Record<string, SmallPackage>>) {
  const files: Record<string, string> = {
    "package.json": '{ "name": "root", "private": true, "packageManager": "pnpm@10.34.9" }',
    "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
    "turbo.json": readFileSync(join(repositoryRoot, "turbo.json"), "utf8"),
  };
  for (const [name, { tag, imports, dependency }] of Object.entries(packages)) {
    const folder = `packages/${name.replace(/^.*\//, "")}`;
    const dependencies = dependency === undefined ? {} : { [dependency]: "workspace:^" };
    files[`${folder}/package.json`] = JSON.stringify({ name, version: "0.0.0", dependencies });
    files[`${folder}/turbo.json`] = JSON.stringify({ extends: ["//"], tags: [tag] });
    files[`${folder}/src/index.ts`] = `${imports === undefined ? "" : `import "${imports}";\n`}export const x = 1;\n`;
  }
  const result = await runCommand("turbo", ["boundaries"], { cwd: writeTree(files) });
  return { ...result, output: result.output.replaceAll(/\s*\n\s*(?:\|\s)?/g, " ") };
}

describe("turbo boundaries", () => {
  it("has rules for every package of this repository", () => {
    const { boundaries: rules } = readJson("turbo.json") as { boundaries: { tags: Record<string, unknown> } };
    for (const { folder } of workspacePackages()) {
      const { tags } = readJson(`${folder}/turbo.json`) as { tags: string[] };
      expect(tags, folder).toHaveLength(1);
      expect(Object.keys(rules.tags), folder).toContain(tags[0]);
    }
  });

  it("accepts an import in the right direction", async () => {
    const { exitCode, output } = await boundaries({
      "@eos/core": { tag: "core" },
      "@eos/client": { tag: "client", imports: "@eos/core", dependency: "@eos/core" },
      flights: { tag: "app", imports: "@eos/client", dependency: "@eos/client" },
    });
    expect(exitCode, output).toBe(0);
  });

  it.each([
    { lower: "core", upper: "client" },
    { lower: "client", upper: "transactions" },
    { lower: "transactions", upper: "app" },
    { lower: "core", upper: "tooling" },
    { lower: "tooling", upper: "app" },
  ])("fails when $lower imports $upper", async ({ lower, upper }) => {
    const { exitCode, output } = await boundaries({
      "@eos/lower": { tag: lower, imports: "@eos/upper", dependency: "@eos/upper" },
      "@eos/upper": { tag: upper },
    });
    expect(exitCode).toBe(1);
    expect(output).toMatch(
      /`@eos\/upper` found without any tag listed in allowlist|`@eos\/lower` found without any tag listed in allowlist/,
    );
  });

  it("fails when a package imports another that is not in its package.json", async () => {
    const { exitCode, output } = await boundaries({
      "@eos/core": { tag: "core" },
      "@eos/client": { tag: "client", imports: "@eos/core" },
    });
    expect(exitCode).toBe(1);
    expect(output).toContain("cannot import package `@eos/core` because it is not a dependency");
  });
});

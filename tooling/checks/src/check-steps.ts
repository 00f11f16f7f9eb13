import { updateApiReports } from "./api-report.ts";
import { changesetStatus } from "./changeset-status.ts";
import { runCommand } from "./command.ts";
import { errorCodeProblems } from "./docs/error-codes.ts";
import { linkProblems } from "./docs/links.ts";
import { readmeSampleProblems } from "./docs/readme-samples.ts";
import { productionImportProblems } from "./production-imports.ts";
import type { Step } from "./step.ts";
import { countTests } from "./test-counts.ts";
import { runVitest } from "./vitest-run.ts";
import { publishedPackages, repositoryRoot } from "./workspace.ts";

/** Everything that is checked without a broker, what is quick first. */
export function checkSteps(): readonly Step[] {
  return [
    command("format", "oxfmt", "--check"),
    command("lint", "oxlint", "--type-aware"),
    command("types", "tsc", "--noEmit"),
    command("manifests", "sherif"),
    command("unused code and dependencies", "knip"),
    command("import direction between packages", "turbo", "boundaries"),
    problems("imports of what users do not install", () => productionImportProblems(repositoryRoot)),
    problems("links in the docs", () => linkProblems(repositoryRoot)),
    problems("error codes in the docs", () => errorCodeProblems(repositoryRoot)),
    problems("README samples compile", readmeSampleProblems),
    { name: "unit tests", run: unitTests },
    command("build", "turbo", "run", "build", "--output-logs=errors-only"),
    ...publishedPackages().flatMap(({ name, folder }) => [
      command(`publint ${name}`, "publint", "--strict", folder),
      command(`types of ${name} as installed`, "attw", "--pack", folder, "--profile", "esm-only"),
    ]),
    problems("API reports", () => updateApiReports("verify")),
    { name: "changesets", run: changesetStatus },
  ];
}

function command(name: string, program: string, ...args: string[]): Step {
  return {
    name,
    run: async () => {
      const { exitCode, output } = await runCommand(program, args);
      return { passed: exitCode === 0, output };
    },
  };
}

function problems(name: string, find: () => readonly string[] | Promise<readonly string[]>): Step {
  return {
    name,
    run: async () => {
      const found = await find();
      return { passed: found.length === 0, output: found.join("\n") };
    },
  };
}

async function unitTests() {
  const { exitCode, output, report } = await runVitest(["--project", "unit"]);
  return { passed: exitCode === 0, output, tests: countTests(report, exitCode) };
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ExtractorMessage, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { publishedPackages, repositoryRoot, type WorkspacePackage } from "./workspace.ts";

const CONFIG_FILE = join(repositoryRoot, "tooling/build/api-extractor.json");

/**
 * Compares each package's built types with its `<name>.api.md`. `'verify'` reports a difference as a problem;
 * `'update'` writes the new report, to be reviewed and committed with the change.
 */
export function updateApiReports(mode: "verify" | "update"): string[] {
  return publishedPackages().flatMap((target) => reportProblems(target, mode));
}

function reportProblems({ name, folder }: WorkspacePackage, mode: "verify" | "update"): string[] {
  const projectFolder = join(repositoryRoot, folder);
  const config = ExtractorConfig.prepare({
    // One configuration for all: given by file, API Extractor would look for the project beside that file.
    configObject: {
      ...ExtractorConfig.loadFile(CONFIG_FILE),
      projectFolder,
      compiler: { overrideTsconfig: tsconfigForBuiltTypes() },
    },
    configObjectFullPath: CONFIG_FILE,
    packageJsonFullPath: join(projectFolder, "package.json"),
  });
  const problems: string[] = [];
  const onMessage = (message: ExtractorMessage): void => {
    message.handled = true;
    if (isProblem(message)) problems.push(`${name}: ${message.text}`);
  };
  const result = Extractor.invoke(config, { localBuild: mode === "update", messageCallback: onMessage });
  if (mode === "verify" && result.apiReportChanged) {
    problems.push(
      `${name}: its API differs from ${folder}/*.api.md. Run \`pnpm api:update\` and review the difference.`,
    );
  } else if (!result.succeeded && problems.length === 0) {
    problems.push(`${name}: API Extractor failed without saying why.`);
  }
  return problems;
}

/** As in the sources, except that packages see each other's built types: API Extractor reads nothing else. */
function tsconfigForBuiltTypes(): object {
  const { compilerOptions } = JSON.parse(readFileSync(join(repositoryRoot, "tsconfig.base.json"), "utf8")) as {
    readonly compilerOptions: Readonly<Record<string, unknown>>;
  };
  return { compilerOptions: { ...compilerOptions, customConditions: [] } };
}

function isProblem({ logLevel, messageId }: ExtractorMessage): boolean {
  return (
    !messageId.startsWith("console-api-report-") &&
    (logLevel === ExtractorLogLevel.Error || logLevel === ExtractorLogLevel.Warning)
  );
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ExtractorMessage, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { publishedPackages, repositoryRoot, type WorkspacePackage } from "./workspace.ts";

const CONFIG_FILE = join(repositoryRoot, "tooling/build/api-extractor.json");

/**
 * Compares the built types of each entry of a package with its report: `<name>.api.md`, and `<name>-<subpath>.api.md`.
 * `'verify'` reports a difference as a problem; `'update'` writes the new report, to be reviewed and committed with the
 * change.
 */
export function updateApiReports(mode: "verify" | "update"): string[] {
  return publishedPackages().flatMap((target) =>
    typeEntries(target).flatMap((entry) => reportProblems(target, entry, mode)),
  );
}

interface TypeEntry {
  /** As it is imported: `.`, or `./<subpath>`. */
  readonly subpath: string;
  readonly types: string;
}

function typeEntries({ folder }: WorkspacePackage): TypeEntry[] {
  const { exports } = JSON.parse(readFileSync(join(repositoryRoot, folder, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, string | { readonly types?: string }>>;
  };
  return Object.entries(exports).flatMap(([subpath, target]) =>
    typeof target === "string" || target.types === undefined ? [] : [{ subpath, types: target.types }],
  );
}

function reportProblems(
  { name, folder }: WorkspacePackage,
  { subpath, types }: TypeEntry,
  mode: "verify" | "update",
): string[] {
  const projectFolder = join(repositoryRoot, folder);
  const loaded = ExtractorConfig.loadFile(CONFIG_FILE);
  const config = ExtractorConfig.prepare({
    // One configuration for all: given by file, API Extractor would look for the project beside that file.
    configObject: {
      ...loaded,
      projectFolder,
      mainEntryPointFilePath: join(projectFolder, types),
      apiReport: {
        ...loaded.apiReport,
        enabled: true,
        reportFileName: `<unscopedPackageName>${subpath.slice(1).replaceAll("/", "-")}.api.md`,
      },
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

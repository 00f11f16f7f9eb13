import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the root package.json, without a slash at its end. */
export const repositoryRoot = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

const WORKSPACE_FOLDERS = ["packages", "apps", "tooling"];
const GENERATED = new Set(["node_modules", "dist", "temp", "target", "coverage", "results", ".git", ".turbo"]);

export interface WorkspacePackage {
  readonly name: string;
  /** Relative to the root: `packages/core`. */
  readonly folder: string;
  readonly isPrivate: boolean;
  /** What a user gets by installing it: dependencies, optional dependencies and peers. */
  readonly installedDependencies: ReadonlySet<string>;
}

export function workspacePackages(root = repositoryRoot): WorkspacePackage[] {
  return WORKSPACE_FOLDERS.flatMap((parent) => subfolders(join(root, parent)).map((name) => `${parent}/${name}`))
    .map((folder) => readPackage(root, folder))
    .filter((found) => found !== undefined);
}

export function publishedPackages(root = repositoryRoot): WorkspacePackage[] {
  return workspacePackages(root).filter((candidate) => !candidate.isPrivate);
}

/** The files that people write, as paths relative to `root`, in alphabetical order. */
export function sourceFiles(root: string, accept: (path: string) => boolean): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !GENERATED.has(entry.name)) visit(path);
      else if (entry.isFile() && accept(path)) found.push(path);
    }
  };
  visit("");
  return found.toSorted();
}

export function isTestFile(path: string): boolean {
  return path.endsWith(".test.ts") || /^[^/]+\/[^/]+\/test\//.test(path);
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function readPackage(root: string, folder: string): WorkspacePackage | undefined {
  const text = readIfPresent(join(root, folder, "package.json"));
  if (text === undefined) return undefined;
  const manifest = JSON.parse(text) as Manifest;
  return {
    name: manifest.name,
    folder,
    isPrivate: manifest.private === true,
    installedDependencies: new Set(
      [manifest.dependencies, manifest.optionalDependencies, manifest.peerDependencies].flatMap((part) =>
        Object.keys(part ?? {}),
      ),
    ),
  };
}

export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

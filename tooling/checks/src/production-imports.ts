import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { isTestFile, sourceFiles, workspacePackages, type WorkspacePackage } from "./workspace.ts";

/**
 * What `turbo boundaries` cannot see, because it takes a package's tests and its product as one: a file that ships
 * imports only what its user installs, and in an app the demo alone may use our tooling.
 */
export function productionImportProblems(root: string): string[] {
  return workspacePackages(root)
    .filter(({ folder }) => !folder.startsWith("tooling/"))
    .flatMap((owner) =>
      sourceFiles(join(root, owner.folder), (path) => path.startsWith("src/") && path.endsWith(".ts"))
        .map((path) => `${owner.folder}/${path}`)
        .filter((path) => !isTestFile(path))
        .flatMap((path) => fileProblems(root, owner, path)),
    );
}

function fileProblems(root: string, owner: WorkspacePackage, path: string): string[] {
  const isDemo = /^apps\/[^/]+\/src\/demo(?:[/.-])/.test(path);
  return ts
    .preProcessFile(readFileSync(join(root, path), "utf8"), true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => !specifier.startsWith(".") && !isBuiltin(specifier))
    .map(packageName)
    .filter((name) => name !== owner.name)
    .flatMap((name) => {
      if (name.startsWith("@tooling/")) return isDemo ? [] : [`${path}: imports ${name}, which is for tests and demos`];
      if (owner.installedDependencies.has(name)) return [];
      return [`${path}: imports ${name}, which is not in the dependencies of ${owner.name}`];
    });
}

function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { isTestFile, sourceFiles, workspacePackages, type WorkspacePackage } from "./workspace.ts";

/** Command lines, exit codes and signals: the same in every app, and no part of any package. */
const APP_TOOLING = "@tooling/app-cli";

/**
 * What `turbo boundaries` cannot see, because it takes a package's tests and its product as one: a file that ships
 * imports only what its user installs. Of our tooling, an app uses what apps are run with; its demo uses any.
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
  const isApp = owner.folder.startsWith("apps/");
  const isDemo = /^apps\/[^/]+\/src\/demo(?:[/.-])/.test(path);
  return ts
    .preProcessFile(readFileSync(join(root, path), "utf8"), true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => !specifier.startsWith(".") && !isBuiltin(specifier))
    .filter((specifier) => packageName(specifier) !== owner.name)
    .flatMap((specifier) => {
      const name = packageName(specifier);
      const isAppTooling = isApp && name === APP_TOOLING && !specifier.endsWith("/testing");
      if (name.startsWith("@tooling/") && !isDemo && !isAppTooling) {
        return [`${path}: imports ${specifier}, which is for tests and demos`];
      }
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

import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { repositoryRoot, sourceFiles, workspacePackages } from "../workspace.ts";
import { type Mutant, mutate } from "./mutant.ts";

/** A copy of the working tree to break things in. */
export interface MutatedCopy extends Disposable {
  readonly root: string;
  /** Runs `work` while the mutant is in the copy. */
  withMutant<T>(mutant: Mutant, work: () => Promise<T>): Promise<T>;
}

export function createMutatedCopy(): MutatedCopy {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "eos-mutants-")));
  for (const path of sourceFiles(repositoryRoot, () => true)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(join(repositoryRoot, path), join(root, path));
  }
  for (const folder of ["", ...workspacePackages().map((found) => found.folder)]) {
    linkModules(join(folder, "node_modules"), root);
  }
  return {
    root,
    async withMutant(mutant, work) {
      const file = join(root, mutant.file);
      const original = readFileSync(file, "utf8");
      writeFileSync(file, mutate(original, mutant));
      try {
        return await work();
      } finally {
        writeFileSync(file, original);
      }
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/**
 * Links each module by itself. A link to the whole node_modules would lead through the workspace's own links back to
 * the sources of the original, where there is no mutant.
 */
function linkModules(modules: string, root: string): void {
  const from = join(repositoryRoot, modules);
  mkdirSync(join(root, modules), { recursive: true });
  for (const entry of entriesOf(from)) {
    const path = join(from, entry);
    if (entry.startsWith("@")) {
      linkModules(join(modules, entry), root);
      continue;
    }
    const target = realpathSync(path);
    const isWorkspacePackage = target.startsWith(`${repositoryRoot}/`) && !target.includes("/node_modules/");
    symlinkSync(isWorkspacePackage ? join(root, relative(repositoryRoot, target)) : target, join(root, modules, entry));
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

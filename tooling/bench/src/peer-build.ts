import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The folder of the rivals' sources. */
export const PEERS = join(import.meta.dirname, "..", "peers");

/** Whether `command` can be started at all. */
export async function isInstalled(command: string, versionArgument: string): Promise<boolean> {
  return run(command, [versionArgument]).then(
    () => true,
    () => false,
  );
}

/** The folder with the compiled Java programs (`classes`) and their jars (`lib`); built when the sources have changed. */
export async function buildJava(): Promise<string> {
  const sources = join(PEERS, "java");
  return build("bench-java", sources, (folder) =>
    run("mvn", [
      "--quiet",
      "--batch-mode",
      `--file=${join(sources, "pom.xml")}`,
      `-Doutput.directory=${folder}`,
      "compile",
      "dependency:copy-dependencies",
    ]),
  );
}

/** The folder with the compiled Go programs; built when the sources have changed. */
export async function buildGo(): Promise<string> {
  const sources = join(PEERS, "franz-go");
  return build("bench-go", sources, (folder) =>
    run("go", ["build", "-buildvcs=false", "-o", `${folder}/`, "./cmd/..."], { cwd: sources }),
  );
}

async function build(name: string, sources: string, compile: (folder: string) => Promise<unknown>): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "eos");
  const folder = join(cache, `${name}-${await hashOf(sources)}`);
  if (await exists(folder)) return folder;
  process.stderr.write(`Building ${name} in ${folder} (once) …\n`);
  await mkdir(cache, { recursive: true });
  // It gets its name only when it is whole; of two processes that build at once the first one to rename wins.
  const unfinished = await mkdtemp(`${folder}.unfinished-`);
  try {
    await compile(unfinished);
    await rename(unfinished, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

async function hashOf(sources: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(sources, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes("/target"));
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(path.slice(sources.length)).update(await readFile(path));
  }
  return hash.digest("hex").slice(0, 12);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runCommand } from "../command.ts";
import { publishedPackages, readIfPresent, repositoryRoot } from "../workspace.ts";
import { parseMarkdown } from "./markdown.ts";

/** A program in a README: its first `ts` block, and every further one whose fence says `ts runnable`. */
export interface ReadmeSample {
  /** Where its text is: `packages/core/README.md:12`. */
  readonly origin: string;
  /** The package whose user runs it; absent for the root README, whose reader has them all. */
  readonly packageFolder: string | undefined;
  readonly source: string;
  /** The `text` block right after it. */
  readonly expectedOutput: string | undefined;
}

export function readmeSamples(root = repositoryRoot): ReadmeSample[] {
  const folders = [undefined, ...publishedPackages(root).map(({ folder }) => folder)];
  return folders.flatMap((packageFolder) => {
    const path = packageFolder === undefined ? "README.md" : `${packageFolder}/README.md`;
    const text = readIfPresent(join(root, path));
    if (text === undefined) return [];
    const blocks = parseMarkdown(text).codeBlocks;
    const first = blocks.findIndex(({ language }) => language === "ts");
    return blocks.flatMap((block, index) => {
      const isSample = block.language === "ts" && (index === first || block.attributes.includes("runnable"));
      if (!isSample) return [];
      const next = blocks[index + 1];
      const expectedOutput = next?.language === "text" ? next.text : undefined;
      return [{ origin: `${path}:${block.line}`, packageFolder, source: block.text, expectedOutput }];
    });
  });
}

/** A folder with the sample as `sample.ts` and the packages its reader has installed; whoever asks for it removes it. */
export function sampleFolder(sample: ReadmeSample, source = sample.source): string {
  const folder = mkdtempSync(join(tmpdir(), "eos-sample-"));
  const modules = join(folder, "node_modules");
  linkModules(join(repositoryRoot, "node_modules/@types"), join(modules, "@types"));
  if (sample.packageFolder !== undefined)
    linkModules(join(repositoryRoot, sample.packageFolder, "node_modules"), modules);
  for (const { name, folder: packageFolder } of publishedPackages()) {
    const isInstalled = sample.packageFolder === undefined || sample.packageFolder === packageFolder;
    if (isInstalled) link(join(repositoryRoot, packageFolder), join(modules, name));
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(folder, "sample.ts"), `${source}\n`);
  const tsconfig = { extends: join(repositoryRoot, "tsconfig.base.json"), include: ["sample.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  return folder;
}

/** What the compiler says about the samples. */
export async function readmeSampleProblems(): Promise<string[]> {
  const problems: string[] = [];
  for (const sample of readmeSamples()) {
    const folder = sampleFolder(sample);
    try {
      const { exitCode, output } = await runCommand("tsc", ["--noEmit", "--pretty", "false"], { cwd: folder });
      if (exitCode !== 0) problems.push(`${sample.origin}:\n${output.trimEnd()}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return problems;
}

/** The sample's text with the address of the test broker in the place of the usual one. */
export function withBroker(source: string, bootstrapServers: string): string {
  return source.replaceAll("localhost:9092", bootstrapServers);
}

function linkModules(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    if (entry.name.startsWith("@")) linkModules(join(from, entry.name), join(to, entry.name));
    else link(join(from, entry.name), join(to, entry.name));
  }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}

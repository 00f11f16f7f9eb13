import { readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { sourceFiles } from "../workspace.ts";
import { type MarkdownPage, parseMarkdown } from "./markdown.ts";

const EXTERNAL = /^[a-z][a-z0-9+.-]*:/i;

/** Relative links of all markdown files that lead to no file, or to no heading of it. */
export function linkProblems(root: string): string[] {
  const isPage = (path: string): boolean => path.endsWith(".md") && !/(^|\/)CHANGELOG\.md$|\.api\.md$/.test(path);
  const pages = new Map<string, MarkdownPage>();
  for (const path of sourceFiles(root, isPage)) pages.set(path, parseMarkdown(readFileSync(join(root, path), "utf8")));

  const problems: string[] = [];
  for (const [path, { links }] of pages) {
    for (const { target, line } of links) {
      if (EXTERNAL.test(target)) continue;
      const { file, anchor } = resolveTarget(path, target);
      if (file.startsWith("../") || !exists(join(root, file))) {
        problems.push(`${path}:${line}: ${target} leads to no file`);
      } else if (anchor !== "" && pages.get(file)?.anchors.has(anchor) === false) {
        problems.push(`${path}:${line}: ${target} leads to no heading of ${file}`);
      }
    }
  }
  return problems;
}

function resolveTarget(page: string, target: string): { readonly file: string; readonly anchor: string } {
  const [path = "", anchor = ""] = target.split("#", 2).map(decodeURIComponent);
  if (path === "") return { file: page, anchor };
  const file = path.startsWith("/") ? path.slice(1) : posix.join(posix.dirname(page), path);
  return { file: posix.normalize(file), anchor };
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

import GithubSlugger from "github-slugger";
import type { Code, Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { toString } from "mdast-util-to-string";
import { visit } from "unist-util-visit";

export interface MarkdownLink {
  readonly target: string;
  readonly line: number;
}

export interface CodeBlock {
  /** The first word of the fence: `ts`. */
  readonly language: string;
  /** The words after it. */
  readonly attributes: readonly string[];
  readonly text: string;
  readonly line: number;
}

export interface MarkdownPage {
  readonly links: readonly MarkdownLink[];
  /** What a `#fragment` can name: headings as GitHub writes them, and ids of HTML elements. */
  readonly anchors: ReadonlySet<string>;
  readonly codeBlocks: readonly CodeBlock[];
}

export function parseMarkdown(text: string): MarkdownPage {
  const links: MarkdownLink[] = [];
  const anchors = new Set<string>();
  const codeBlocks: CodeBlock[] = [];
  const slugger = new GithubSlugger();
  visit(fromMarkdown(text), (node) => {
    if (node.type === "link" || node.type === "image" || node.type === "definition") {
      links.push({ target: node.url, line: lineOf(node) });
    } else if (node.type === "heading") {
      anchors.add(slugger.slug(toString(node)));
    } else if (node.type === "html") {
      for (const [, id] of node.value.matchAll(/\s(?:id|name)="([^"]+)"/g)) if (id !== undefined) anchors.add(id);
    } else if (node.type === "code") {
      codeBlocks.push(codeBlock(node));
    }
  });
  return { links, anchors, codeBlocks };
}

function codeBlock(node: Code): CodeBlock {
  return {
    language: node.lang ?? "",
    attributes: node.meta?.split(/\s+/) ?? [],
    text: node.value,
    line: lineOf(node),
  };
}

function lineOf(node: Nodes): number {
  return node.position?.start.line ?? 0;
}

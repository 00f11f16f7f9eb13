import { describe, expect, it } from "vitest";
import { writeTree } from "../temporary-tree.ts";
import { linkProblems } from "./links.ts";

describe("linkProblems", () => {
  it("accepts links to files, folders, headings, HTML anchors and other sites", () => {
    const root = writeTree({
      "README.md": [
        "# `createThing(options)` and more",
        "[a](docs/a.md) [b](./docs/a.md#second-part) [c](#createthingoptions-and-more) [d](docs) [e](docs/a.md#mark)",
        "[f](https://example.org/none.md#x) [g](mailto:a@example.org) [h][ref] ![i](docs/a.svg)",
        "",
        "[ref]: docs/a.md#second-part-1",
      ].join("\n"),
      "docs/a.md": '# A\n## Second part\n## Second part\n<a id="mark"></a>\n[up](../README.md) [root](/README.md)\n',
      "docs/a.svg": "<svg/>",
    });
    expect(linkProblems(root)).toEqual([]);
  });

  it("names page and line of a link to a missing file or heading, or out of the repository", () => {
    const root = writeTree({
      "README.md": "# Title\n\n[a](docs/none.md)\n[b](#titel)\n[c](docs/a.md#none)\n[d](../outside.md)\n",
      "docs/a.md": "# A\n",
    });
    expect(linkProblems(root)).toEqual([
      "README.md:3: docs/none.md leads to no file",
      "README.md:4: #titel leads to no heading of README.md",
      "README.md:5: docs/a.md#none leads to no heading of docs/a.md",
      "README.md:6: ../outside.md leads to no file",
    ]);
  });

  it("does not take code for links", () => {
    const root = writeTree({ "README.md": "`[a](none.md)`\n\n```md\n[b](none.md)\n```\n" });
    expect(linkProblems(root)).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { writeTree } from "../temporary-tree.ts";
import { readmeSamples, withBroker } from "./readme-samples.ts";

describe("readmeSamples", () => {
  it("takes the first ts block of each README and those marked runnable, each with the text block after it", () => {
    const root = writeTree({
      "README.md":
        "```sh\nnpm i\n```\n\n```ts\none();\n```\n\n```ts\nfragment();\n```\n\n```ts runnable\ntwo();\n```\nprints\n```text\n2\n```\n",
      "packages/a/package.json": '{ "name": "@eos/a" }',
      "packages/a/README.md": "# A\n```ts\na();\n```\n",
      "packages/b/package.json": '{ "name": "@eos/b" }',
      "tooling/c/package.json": '{ "name": "@tooling/c", "private": true }',
      "tooling/c/README.md": "```ts\nc();\n```\n",
    });
    expect(readmeSamples(root)).toEqual([
      { origin: "README.md:5", packageFolder: undefined, source: "one();", expectedOutput: undefined },
      { origin: "README.md:13", packageFolder: undefined, source: "two();", expectedOutput: "2" },
      { origin: "packages/a/README.md:2", packageFolder: "packages/a", source: "a();", expectedOutput: undefined },
    ]);
  });

  it("runs them against the broker at hand", () => {
    expect(withBroker('brokers: ["localhost:9092"]', "127.0.0.1:1234")).toBe('brokers: ["127.0.0.1:1234"]');
  });
});

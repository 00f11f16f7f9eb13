import { describe, expect, it } from "vitest";
import { productionImportProblems } from "./production-imports.ts";
import { writeTree } from "./temporary-tree.ts";

const manifest = JSON.stringify({
  name: "@eos/a",
  dependencies: { kafkajs: "1" },
  optionalDependencies: { crc: "1" },
  peerDependencies: { rxjs: "1" },
  devDependencies: { "@tooling/kafka": "1", zod: "1" },
});

describe("productionImportProblems", () => {
  it("lets a file that ships import what its user installs, and tests whatever they like", () => {
    const root = writeTree({
      "packages/a/package.json": manifest,
      "packages/a/src/index.ts":
        'import "node:fs"; import "fs"; import k from "kafkajs/src/x.js"; export * from "rxjs"; import("crc"); import "@eos/a"; import "./b.ts";',
      "packages/a/src/index.test.ts": 'import "vitest"; import "@tooling/kafka/testing";',
      "packages/a/test/broker.test.ts": 'import "@tooling/kafka";',
    });
    expect(productionImportProblems(root)).toEqual([]);
  });

  it("names a file that ships and imports our tooling or a devDependency, types included", () => {
    const root = writeTree({
      "packages/a/package.json": manifest,
      "packages/a/src/index.ts": 'import { startKafka } from "@tooling/kafka";\nimport type { ZodType } from "zod";\n',
      "packages/a/src/lazy.ts": 'await import("vitest");',
    });
    expect(productionImportProblems(root)).toEqual([
      "packages/a/src/index.ts: imports @tooling/kafka, which is for tests and demos",
      "packages/a/src/index.ts: imports zod, which is not in the dependencies of @eos/a",
      "packages/a/src/lazy.ts: imports vitest, which is not in the dependencies of @eos/a",
    ]);
  });

  it("lets the demo of an app, and nothing else of it, use our tooling", () => {
    const root = writeTree({
      "apps/b/package.json": '{ "name": "b", "private": true, "dependencies": { "@tooling/kafka": "1" } }',
      "apps/b/src/demo.ts": 'import "@tooling/kafka";',
      "apps/b/src/demo/broker.ts": 'import "@tooling/kafka";',
      "apps/b/src/main.ts": 'import "@tooling/kafka";',
    });
    expect(productionImportProblems(root)).toEqual([
      "apps/b/src/main.ts: imports @tooling/kafka, which is for tests and demos",
    ]);
  });

  it("lets an app use what apps are run with, when it depends on it, but for what that gives to tests", () => {
    const root = writeTree({
      "apps/b/package.json": '{ "name": "b", "private": true, "dependencies": { "@tooling/app-cli": "1" } }',
      "apps/b/src/main.ts": 'import "@tooling/app-cli"; import "@tooling/app-cli/shutdown-signal";',
      "apps/b/src/spy.ts": 'import "@tooling/app-cli/testing";',
      "apps/c/package.json": '{ "name": "c", "private": true, "devDependencies": { "@tooling/app-cli": "1" } }',
      "apps/c/src/main.ts": 'import "@tooling/app-cli";',
      "packages/a/package.json": '{ "name": "@eos/a", "dependencies": { "@tooling/app-cli": "1" } }',
      "packages/a/src/index.ts": 'import "@tooling/app-cli";',
    });
    expect(productionImportProblems(root).toSorted()).toEqual([
      "apps/b/src/spy.ts: imports @tooling/app-cli/testing, which is for tests and demos",
      "apps/c/src/main.ts: imports @tooling/app-cli, which is not in the dependencies of c",
      "packages/a/src/index.ts: imports @tooling/app-cli, which is for tests and demos",
    ]);
  });
});

import { defineConfig } from "vitest/config";

// Tests run on the sources: the private `@eos/source` condition in each package's exports needs no build.
const resolve = { conditions: ["@eos/source", "node", "import", "default"] };
const ssr = { resolve: { conditions: ["@eos/source", "node", "import", "default"] } };

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: "unit",
          include: ["{packages,apps,tooling}/*/src/**/*.test.ts"],
          pool: "forks",
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "broker",
          include: ["{packages,apps,tooling}/*/test/**/*.test.ts"],
          pool: "forks",
          // One broker for the whole run; two files at a time is what two cores bear beside it.
          globalSetup: ["./tooling/kafka/src/vitest-global-setup.ts"],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

import type { Mutant } from "./mutant.ts";

/** What the processor does when something fails. */
export const processorMutants: readonly Mutant[] = [
  {
    name: "takeover",
    file: "packages/transactions/src/stable-offsets.ts",
    find: "await admin.fenceProducer(predecessor);",
    replace: "await Promise.resolve(admin);",
    test: {
      file: "packages/transactions/test/invariants/takeover.test.ts",
      title: "does not wait for its transaction timeout of a minute",
    },
  },
  {
    name: "fenced",
    file: "packages/transactions/src/commit-unit.ts",
    find: "if (await confirmMembership()) {",
    replace: "await confirmMembership();\n      if (this.producer) {",
    test: {
      file: "packages/transactions/src/commit-unit.test.ts",
      title: "takes its id back after being fenced only if the group still counts it in",
    },
  },
  {
    name: "dropped",
    file: "packages/transactions/src/task.ts",
    find: 'if (this.#isDropped) return "idle";',
    replace: "",
    test: {
      file: "packages/transactions/src/task.test.ts",
      title: "does not go on after a drop before it is rewound: the batch at hand is gone",
    },
  },
  {
    name: "producer failure",
    file: "packages/transactions/src/task.ts",
    find: "if (error instanceof TransactionAbortedError) {",
    replace: "if (error instanceof TransactionAbortedError && attempt < 0) {",
    test: {
      file: "packages/transactions/src/task.test.ts",
      title: "leaves a producer's failure to the recovery: no handler is asked, no record is skipped",
    },
  },
];

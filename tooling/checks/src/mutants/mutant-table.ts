import type { Mutant } from "./mutant.ts";

/** Every repair has a test that can fail: this is the list that `pnpm mutants` proves. */
export const mutants: readonly Mutant[] = [
  {
    name: "D1",
    file: "packages/client/src/records/record-batch-reader.ts",
    find: "aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)",
    replace: "[...aborted]",
    test: {
      file: "packages/client/src/records/aborted-transactions.test.ts",
      title: "delivers exactly what was committed, from any offset, whatever transactions interleave",
    },
  },
  {
    name: "crc",
    file: "packages/client/src/records/record-batch-reader.ts",
    find: "if (reading.verifyCrc) {",
    replace: "if (reading.verifyCrc && start < 0) {",
    test: {
      file: "packages/client/src/records/record-batch-reader.test.ts",
      title: "notices any flipped bit that the checksum covers, and says where",
    },
  },
  {
    name: "headers",
    file: "packages/core/src/record.ts",
    find: "Object.create(null) as Headers",
    replace: "({}) as Headers",
    test: {
      file: "packages/client/src/records/header-bytes.test.ts",
      title: "come back as they were written, whatever their names, repeated ones in order",
    },
  },
];

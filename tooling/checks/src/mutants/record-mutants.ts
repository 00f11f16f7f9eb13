import type { Mutant } from "./mutant.ts";

/** What is read and written: headers, batches, checksums, aborted transactions. */
export const recordMutants: readonly Mutant[] = [
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
  {
    name: "D1",
    file: "packages/client/src/records/record-batch-reader.ts",
    find: "    if (isControl) {\n",
    replace: "    if (isControl || head.count === 1) {\n",
    test: {
      file: "packages/client/test/regression/d1-aborted-records.test.ts",
      title: "with a key that looks like an abort marker's are not delivered, nor what comes behind it.",
    },
  },
  {
    name: "headers",
    file: "packages/core/src/record.ts",
    find: "Object.create(null) as Headers",
    replace: "({}) as Headers",
    test: {
      file: "packages/client/test/regression/headers.test.ts",
      title: "come back from the broker as they were written, whatever they are called.",
    },
  },
  {
    name: "missing codec",
    file: "packages/client/src/records/codecs.ts",
    find: "throw new MissingCodecError(name, HINTS[name]);",
    replace: "throw new MissingCodecError(name, HINTS.gzip);",
    test: {
      file: "packages/client/test/regression/missing-codec.test.ts",
      title: "is an error when the producer is made, not when it sends.",
    },
  },
];

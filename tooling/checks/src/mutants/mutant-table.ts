import { clientMutants } from "./client-mutants.ts";
import { groupMutants } from "./group-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { processorMutants } from "./processor-mutants.ts";
import { recordMutants } from "./record-mutants.ts";
import { storeMutants } from "./store-mutants.ts";

/** Every repair has a test that can fail: this is the list that `pnpm mutants` proves. */
export const mutants: readonly Mutant[] = [
  ...recordMutants,
  ...clientMutants,
  ...processorMutants,
  ...groupMutants,
  ...storeMutants,
];

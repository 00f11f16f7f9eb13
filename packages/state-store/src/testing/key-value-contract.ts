import { testKeyValueEntries } from "./key-value-entries-contract.ts";
import type { KeyValueContract } from "./key-value-harness.ts";
import { testKeyValueRanges } from "./key-value-ranges-contract.ts";
import { testKeyValueTransactions } from "./key-value-transactions-contract.ts";

/**
 * What every key-value store keeps to, as tests: `testKeyValueStore({ describe, it, open })`. They use `node:assert`, so
 * any runner will do.
 */
export function testKeyValueStore(contract: KeyValueContract): void {
  testKeyValueEntries(contract);
  testKeyValueRanges(contract);
  testKeyValueTransactions(contract);
}

import { testWindowEntries } from "./window-entries-contract.ts";
import { testWindowFetches } from "./window-fetches-contract.ts";
import type { WindowContract } from "./window-harness.ts";
import { testWindowTransactions } from "./window-transactions-contract.ts";

/**
 * What every window store keeps to, as tests: `testWindowStore({ describe, it, open })`. They use `node:assert`, so any
 * runner will do.
 */
export function testWindowStore(contract: WindowContract): void {
  testWindowEntries(contract);
  testWindowFetches(contract);
  testWindowTransactions(contract);
}

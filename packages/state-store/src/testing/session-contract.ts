import { testSessionEntries } from "./session-entries-contract.ts";
import { testSessionFinds } from "./session-finds-contract.ts";
import type { SessionContract } from "./session-harness.ts";
import { testSessionTransactions } from "./session-transactions-contract.ts";

/**
 * What every session store keeps to, as tests: `testSessionStore({ describe, it, open })`. They use `node:assert`, so any
 * runner will do.
 */
export function testSessionStore(contract: SessionContract): void {
  testSessionEntries(contract);
  testSessionFinds(contract);
  testSessionTransactions(contract);
}

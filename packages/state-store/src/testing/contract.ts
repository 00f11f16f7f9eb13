import type { StoreIterator } from "../iterators/store-iterator.ts";

/** `describe` and `it` of any test runner: Vitest, `node:test`, Jest, Mocha. */
export interface ContractRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, test: () => Promise<void>): unknown;
}

/** A new store, empty, in a task of its own, and what happens to the task. */
export interface StoreUnderTest<S, R> {
  readonly store: S;
  /** The committed state alone. */
  readonly readOnly: R;
  /** The timestamp of the record being processed from now on; before the first call 0. */
  at(timestamp: number): void;
  /** Commits the transaction that the store was written in. */
  commit(): Promise<void>;
  /** Aborts it; afterwards the store is what was committed. */
  abort(): Promise<void>;
  /** Called at the end of each test. */
  close(): Promise<void>;
}

/** A test with a store of its own. */
export async function withStore<S, R>(
  opening: Promise<StoreUnderTest<S, R>>,
  test: (harness: StoreUnderTest<S, R>) => Promise<void>,
): Promise<void> {
  const harness = await opening;
  try {
    await test(harness);
  } finally {
    await harness.close();
  }
}

export async function all<T>(iterator: StoreIterator<T>): Promise<T[]> {
  const entries: T[] = [];
  for await (const entry of iterator) entries.push(entry);
  return entries;
}

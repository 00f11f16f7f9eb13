/** Throws the first rejection, but not before all of them have settled: nothing of it is outstanding any more. */
export async function settleAll(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === "rejected") throw result.reason;
}

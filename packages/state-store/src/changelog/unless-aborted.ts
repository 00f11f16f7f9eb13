/** Settles as `work` does, or rejects with the signal's reason when that fires first: then nobody hears of `work` any more. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    // A signal usually outlives the work: what stays registered on it is never freed.
    signal.removeEventListener("abort", onAbort);
  }
}

import { setTimeout as sleep } from "node:timers/promises";

const INTERVAL_MS = 50;

export interface UntilOptions {
  readonly timeoutMs: number;
  /** Between two looks. @defaultValue 50 */
  readonly intervalMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Looks again and again until there is something to be seen.
 * @param look - gives what was looked for, or a text that says what is still missing
 * @throws Error with that text after `timeoutMs`; AbortError
 */
export async function until<T extends object>(
  look: () => T | string | Promise<T | string>,
  { timeoutMs, intervalMs = INTERVAL_MS, signal }: UntilOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (typeof seen !== "string") return seen;
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs / 1_000} s: ${seen}`);
    await sleep(intervalMs, undefined, { signal });
  }
}

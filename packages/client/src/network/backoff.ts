const JITTER = 0.2;

/** Exponential backoff with jitter, as Java's `ExponentialBackoff`: `initialMs` doubled per attempt, up to `maxMs`, ±20 %. */
export function backoffMs(attempt: number, initialMs: number, maxMs: number): number {
  const ms = Math.min(maxMs, initialMs * 2 ** attempt);
  return ms * (1 - JITTER + 2 * JITTER * Math.random());
}

/** @throws TypeError unless it is a whole number */
export function checkTimestamp(name: string, timestamp: unknown): void {
  if (!Number.isSafeInteger(timestamp)) throw notATimestamp(name, timestamp);
}

/** Of what is stored: no segment lies before the epoch. @throws TypeError */
export function checkStoredTimestamp(name: string, timestamp: unknown): void {
  if (!Number.isSafeInteger(timestamp) || (timestamp as number) < 0) throw notATimestamp(name, timestamp);
}

/** A bound may be open: −Infinity, Infinity. @throws TypeError */
export function checkTimeBound(name: string, timestamp: unknown): void {
  if (timestamp !== Infinity && timestamp !== -Infinity) checkTimestamp(name, timestamp);
}

function notATimestamp(name: string, timestamp: unknown): TypeError {
  return new TypeError(`"${name}" must be a whole number of ms since the epoch, got ${String(timestamp)}`);
}

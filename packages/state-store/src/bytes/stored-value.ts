/** What an absent `expiresAt` is stored as. */
export const NEVER = 0;

/**
 * A value as it lies in a buffer: in an overlay, or as the engine returned it. Fields instead of a view of the value:
 * a serde with `deserializeRange` reads from the buffer, and nothing is allocated for a get that hits the overlay.
 */
export class StoredValue {
  readonly buffer: Buffer;
  /** Where the physical key begins, for a value of an overlay, whose key lies before it; otherwise 0. */
  readonly keyStart: number;
  /** Where the physical key ends, and what the engine stores as the value begins. */
  readonly keyEnd: number;
  /** −1: deleted. */
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Of the record it came with, ms since the epoch. */
  readonly timestamp: number;
  /** Stream time from which it counts as deleted; {@link NEVER} for most. */
  readonly expiresAt: number;

  constructor(
    buffer: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    expiresAt: number,
  ) {
    this.buffer = buffer;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
    this.valueStart = valueStart;
    this.valueEnd = valueEnd;
    this.timestamp = timestamp;
    this.expiresAt = expiresAt;
  }

  get isDeleted(): boolean {
    return this.valueStart < 0;
  }

  /** The physical key of a value that lies in an overlay: a view. */
  key(): Buffer {
    return this.buffer.subarray(this.keyStart, this.keyEnd);
  }

  /** The value's bytes: a view. */
  bytes(): Buffer {
    return this.buffer.subarray(this.valueStart, this.valueEnd);
  }
}

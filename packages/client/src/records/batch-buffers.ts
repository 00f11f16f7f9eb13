const SIZES = [16_384, 65_536, 262_144, 1_048_576] as const;

/** Bytes kept for reuse when nothing else is said. */
const MAX_IDLE_BYTES = 32 * 1_048_576;

/**
 * Encode buffers for record batches, reused. In four sizes, because a partition that gets few records a transaction
 * must not hold a whole mebibyte: tasks × partitions of those would be gigabytes.
 *
 * One instance per client.
 */
export class BatchBuffers {
  private readonly idle: readonly Buffer[][] = SIZES.map(() => []);
  private readonly maxIdleBytes: number;
  private idleBytesNow = 0;

  /** @param maxIdleBytes - what the pool keeps at most while nobody uses it; buffers in use are not counted. */
  constructor(maxIdleBytes = MAX_IDLE_BYTES) {
    this.maxIdleBytes = maxIdleBytes;
  }

  get idleBytes(): number {
    return this.idleBytesNow;
  }

  /** A buffer of at least `bytes`, its content undefined. */
  take(bytes: number): Buffer {
    const sizeClass = SIZES.findIndex((size) => size >= bytes);
    if (sizeClass < 0) return Buffer.allocUnsafeSlow(bytes);
    const reused = this.idle[sizeClass]!.pop();
    if (reused === undefined) return Buffer.allocUnsafeSlow(SIZES[sizeClass]!);
    this.idleBytesNow -= reused.length;
    return reused;
  }

  /** Gives a buffer back. Nobody may hold a view of it any more: its bytes will be another batch's. */
  give(buffer: Buffer): void {
    const sizeClass = SIZES.findIndex((size) => size === buffer.length);
    if (sizeClass < 0 || this.idleBytesNow + buffer.length > this.maxIdleBytes) return;
    this.idle[sizeClass]!.push(buffer);
    this.idleBytesNow += buffer.length;
  }
}

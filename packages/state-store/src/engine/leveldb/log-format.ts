import { maskedChecksum } from "./masked-checksum.ts";

const BLOCK_BYTES = 32_768;
/** checksum(4) ∥ length(2) ∥ type(1) */
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

export interface LogReading {
  /** What LevelDB will read of it. */
  readonly records: readonly Buffer[];
  /**
   * What LevelDB will pass over in silence: `hole` with records behind it, `tail` with none. A record that the end of
   * the file cuts off is neither: that is what a crash leaves.
   */
  readonly damage: "none" | "tail" | "hole";
}

/**
 * Reads a write-ahead log or a MANIFEST (`doc/log_format.md`) just as LevelDB's `log::Reader` does: behind a bad
 * checksum it goes on with the next block.
 */
export function readLog(bytes: Buffer): LogReading {
  const records: Buffer[] = [];
  let damagedAfter = -1;
  let fragments: Buffer[] | null = null;
  const onDamage = (): void => {
    if (damagedAfter < 0) damagedAfter = records.length;
    fragments = null;
  };
  for (const fragment of fragmentsOf(bytes)) {
    if (fragment === null) {
      onDamage();
      continue;
    }
    const { type, data } = fragment;
    const begins = type === FULL || type === FIRST;
    if (begins === (fragments !== null)) onDamage();
    if (type === FULL) records.push(data);
    else if (type === FIRST) fragments = [data];
    else if (fragments !== null && (type === MIDDLE || type === LAST)) {
      fragments.push(data);
      if (type === LAST) {
        records.push(Buffer.concat(fragments));
        fragments = null;
      }
    } else onDamage();
  }
  if (damagedAfter < 0) return { records, damage: "none" };
  return { records, damage: damagedAfter < records.length ? "hole" : "tail" };
}

interface Fragment {
  readonly type: number;
  readonly data: Buffer;
}

/** `null`: damaged, and the rest of its block is passed over. */
function* fragmentsOf(bytes: Buffer): Generator<Fragment | null> {
  for (let block = 0; block < bytes.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, bytes.length);
    let at = block;
    while (end - at >= HEADER_BYTES) {
      const dataStart = at + HEADER_BYTES;
      const dataEnd = dataStart + bytes.readUInt16LE(at + 4);
      if (dataEnd > end) {
        // In the last block, if it is not a whole one, this is how a write ends that a crash cut off.
        if (end - block === BLOCK_BYTES) yield null;
        break;
      }
      if (bytes.readUInt32LE(at) !== maskedChecksum(bytes, at + 6, dataEnd)) {
        yield null;
        break;
      }
      yield { type: bytes[at + 6]!, data: bytes.subarray(dataStart, dataEnd) };
      at = dataEnd;
    }
  }
}

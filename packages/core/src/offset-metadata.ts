import { decodeRanges, encodeRanges, type OffsetRange } from "./offset-metadata-ranges.ts";

/** What we keep beside a committed offset, for whoever takes the partition over. */
export interface OffsetMetadata {
  /** The producer that committed: a successor ends its transaction instead of waiting for it to time out. */
  readonly transactionalId?: string;
  /**
   * What is completed beyond the committed offset, so that it is not done again: sorted, none empty, none touching
   * another, all above the offset.
   */
  readonly completed?: readonly OffsetRange[];
}

const PREFIX = "eos1:";

/** The broker's default `offset.metadata.max.bytes`. */
const MAX_BYTES = 4_096;

/**
 * The metadata as the text of an offset commit.
 *
 * @param offset - the offset that it is committed with: what `completed` is counted from, and needed for that only
 * @throws RangeError when it is longer than the 4,096 bytes that brokers take by default, or `completed` is malformed.
 * @throws TypeError when there is something completed and no offset.
 */
export function encodeOffsetMetadata(metadata: OffsetMetadata, offset?: number): string {
  const text = write(metadata, offset);
  const bytes = Buffer.byteLength(text, "utf8");
  if (bytes > MAX_BYTES) throw new RangeError(`offset metadata takes ${bytes} bytes, more than ${MAX_BYTES}`);
  return text;
}

/**
 * The same, and null when it takes more than `maxBytes`: for those who then leave something out of the map.
 *
 * @param maxBytes - at most 4,096
 * @throws RangeError when `completed` is malformed.
 */
export function tryEncodeOffsetMetadata(metadata: OffsetMetadata, offset: number, maxBytes = MAX_BYTES): string | null {
  const text = write(metadata, offset);
  return Buffer.byteLength(text, "utf8") > maxBytes ? null : text;
}

/**
 * The metadata of an offset commit, or null when the text is not ours or is damaged. Fields we do not know are left out.
 *
 * @param offset - the offset that it was committed with. Without it, with another one, or when the map is damaged,
 * `completed` is left out: then records are done again, and none is passed over.
 */
export function decodeOffsetMetadata(text: string | null, offset?: number): OffsetMetadata | null {
  if (text === null || !text.startsWith(PREFIX)) return null;
  let fields: unknown;
  try {
    fields = JSON.parse(text.slice(PREFIX.length));
  } catch {
    return null;
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return null;
  const { transactionalId, done } = fields as { readonly transactionalId?: unknown; readonly done?: unknown };
  if (transactionalId !== undefined && typeof transactionalId !== "string") return null;
  const completed = typeof done === "string" && offset !== undefined ? decodeRanges(done, offset) : null;
  return {
    ...(transactionalId === undefined ? null : { transactionalId }),
    ...(completed === null ? null : { completed }),
  };
}

function write({ transactionalId, completed = [] }: OffsetMetadata, offset: number | undefined): string {
  if (completed.length === 0) return PREFIX + JSON.stringify({ transactionalId });
  if (offset === undefined) throw new TypeError("offset metadata: completed ranges need the offset they are above");
  return PREFIX + JSON.stringify({ transactionalId, done: encodeRanges(completed, offset) });
}

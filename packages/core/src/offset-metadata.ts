/** What we keep beside a committed offset, for whoever takes the partition over. */
export interface OffsetMetadata {
  /** The producer that committed: a successor ends its transaction instead of waiting for it to time out. */
  readonly transactionalId?: string;
}

const PREFIX = "eos1:";

/** The broker's default `offset.metadata.max.bytes`. */
const MAX_BYTES = 4_096;

/**
 * The metadata as the text of an offset commit.
 *
 * @throws RangeError when it is longer than the 4,096 bytes that brokers take by default.
 */
export function encodeOffsetMetadata(metadata: OffsetMetadata): string {
  const { transactionalId } = metadata;
  const text = PREFIX + JSON.stringify(transactionalId === undefined ? {} : { transactionalId });
  const bytes = Buffer.byteLength(text, "utf8");
  if (bytes > MAX_BYTES) throw new RangeError(`offset metadata takes ${bytes} bytes, more than ${MAX_BYTES}`);
  return text;
}

/** The metadata of an offset commit, or null when the text is not ours or is damaged. Fields we do not know are left out. */
export function decodeOffsetMetadata(text: string | null): OffsetMetadata | null {
  if (text === null || !text.startsWith(PREFIX)) return null;
  let fields: unknown;
  try {
    fields = JSON.parse(text.slice(PREFIX.length));
  } catch {
    return null;
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return null;
  const { transactionalId } = fields as { readonly transactionalId?: unknown };
  if (transactionalId === undefined) return {};
  return typeof transactionalId === "string" ? { transactionalId } : null;
}

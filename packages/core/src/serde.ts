import { SerdeError } from "./errors.ts";
import type { Headers } from "./record.ts";

/**
 * Writes and reads the keys or values of a topic. `null` never reaches a serde: it is a tombstone.
 *
 * Both ways are synchronous, since they run once per record. A failure is a {@link SerdeError}.
 */
export interface Serde<T> {
  /** A string is written as UTF-8 straight into the record batch, without a Buffer in between. */
  serialize(topic: string, value: T, headers?: Headers): Uint8Array | string;
  deserialize(topic: string, bytes: Buffer, headers?: Headers): T;
  /** Optional fast path: the same as `deserialize` for `source[start, end)`, without a Buffer view. */
  deserializeRange?(topic: string, source: Buffer, start: number, end: number): T;
}

/**
 * Strings as UTF-8. As with Java's `StringDeserializer`, bytes that are no UTF-8 become U+FFFD.
 */
export const stringSerde: Serde<string> = {
  serialize(topic, value) {
    if (typeof value !== "string") throw new SerdeError(`a string was expected, got ${typeof value}`, { topic });
    return value;
  },
  deserialize: (_topic, bytes) => bytes.toString("utf8"),
  deserializeRange: (_topic, source, start, end) => source.toString("utf8", start, end),
};

/**
 * Bytes as they are. What is read is a view of the fetched batch, not a copy: whoever keeps it for long should copy it
 * (`Buffer.from(bytes)`), since the view keeps the whole batch in memory.
 */
export const bytesSerde: Serde<Buffer> = {
  serialize(topic, value) {
    if (!(value instanceof Uint8Array)) throw new SerdeError(`bytes were expected, got ${typeof value}`, { topic });
    return value;
  },
  deserialize: (_topic, bytes) => bytes,
  deserializeRange: (_topic, source, start, end) => source.subarray(start, end),
};

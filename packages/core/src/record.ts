/** What one header holds on the wire: bytes, or null. */
export type HeaderValue = Buffer | null;

/**
 * The headers of a record, by name. A header that occurs more than once is an array of its values, in the order of
 * the record; the order between different names is not kept.
 *
 * The object has no prototype, so a header called `constructor`, `toString` or `__proto__` is data like any other.
 * Make one with {@link createHeaders}.
 */
export type Headers = { [name: string]: HeaderValue | readonly HeaderValue[] };

/** A header value before {@link createHeaders}: a string stands for its UTF-8 bytes. */
export type HeaderInput = Buffer | string | null;

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A record as it was read: where it came from, and its deserialised key and value. */
export interface EosRecord<K, V> extends TopicPartition {
  /** A safe integer. */
  readonly offset: number;
  /** Milliseconds since the epoch; -1 when the record has none. */
  readonly timestamp: number;
  readonly key: K | null;
  /** `null` is a tombstone. */
  readonly value: V | null;
  readonly headers: Headers;
}

/** A record to write. A field that is absent keeps what the input record had; without an input record, Kafka's default. */
export interface OutgoingRecord<K, V> {
  topic?: string;
  /** @defaultValue murmur2 of the key, as Java's producer does */
  partition?: number;
  key?: K | null;
  /** `null` is a tombstone. */
  value: V | null;
  headers?: Headers;
  /** Milliseconds since the epoch. */
  timestamp?: number;
}

/** The partition as Kafka writes it in logs and messages: `orders-0`. */
export function formatTopicPartition(topicPartition: TopicPartition): string {
  return `${topicPartition.topic}-${topicPartition.partition}`;
}

export function samePartition(a: TopicPartition, b: TopicPartition): boolean {
  return a.topic === b.topic && a.partition === b.partition;
}

/**
 * Makes a header map without a prototype. Strings become UTF-8 bytes; an array becomes a repeated header, so an array
 * of one is the same as its value and an empty array is no header. Buffers are taken over, not copied.
 *
 * @throws TypeError when a value is neither a Buffer, a string nor null.
 */
export function createHeaders(from?: { readonly [name: string]: HeaderInput | readonly HeaderInput[] }): Headers {
  const headers = Object.create(null) as Headers;
  if (from === undefined) return headers;
  for (const name of Object.keys(from)) {
    const given = from[name] as HeaderInput | readonly HeaderInput[];
    if (!isList(given)) {
      headers[name] = toHeaderValue(name, given);
    } else if (given.length === 1) {
      headers[name] = toHeaderValue(name, given[0] as HeaderInput);
    } else if (given.length > 1) {
      headers[name] = given.map((value) => toHeaderValue(name, value));
    }
  }
  return headers;
}

/** `Array.isArray` does not narrow a readonly array out of a union. */
function isList(given: HeaderInput | readonly HeaderInput[]): given is readonly HeaderInput[] {
  return Array.isArray(given);
}

function toHeaderValue(name: string, value: HeaderInput): HeaderValue {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  if (value === null || Buffer.isBuffer(value)) return value;
  throw new TypeError(`createHeaders: header "${name}" must be a Buffer, a string or null, got ${typeof value}`);
}

import type { EosRecord, Headers, Serde } from "@eos/core";

import { decodeHeaders } from "./header-bytes.ts";
import { CorruptRecordError, RecordDeserializationError } from "./record-errors.ts";

/** What the records of one partition have in common. One instance per partition. */
export class RecordSource<K, V> {
  readonly topic: string;
  readonly partition: number;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;

  constructor(topic: string, partition: number, keySerde: Serde<K>, valueSerde: Serde<V>) {
    this.topic = topic;
    this.partition = partition;
    this.keySerde = keySerde;
    this.valueSerde = valueSerde;
  }
}

/**
 * A record in a fetched batch. Key, value and headers are decoded when they are first read, and kept. They are
 * accessors: spreading the record does not copy them.
 *
 * It keeps the fetch response alive that it is part of. The ranges, of {@link buffer}, let a copy go from bytes to
 * bytes; they are -1 for a null key or value, and the headers' includes their count.
 */
export class FetchedRecord<K, V> implements EosRecord<K, V> {
  readonly source: RecordSource<K, V>;
  readonly buffer: Buffer;
  readonly offset: number;
  /** Milliseconds since the epoch; -1 when the producer gave none. */
  readonly timestamp: number;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly headersStart: number;
  readonly headersEnd: number;
  private decodedKey: K | undefined = undefined;
  private decodedValue: V | undefined = undefined;
  private decodedHeaders: Headers | undefined = undefined;

  constructor(
    source: RecordSource<K, V>,
    buffer: Buffer,
    offset: number,
    timestamp: number,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    headersStart: number,
    headersEnd: number,
  ) {
    this.source = source;
    this.buffer = buffer;
    this.offset = offset;
    this.timestamp = timestamp;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
    this.valueStart = valueStart;
    this.valueEnd = valueEnd;
    this.headersStart = headersStart;
    this.headersEnd = headersEnd;
  }

  get topic(): string {
    return this.source.topic;
  }

  get partition(): number {
    return this.source.partition;
  }

  /** @throws RecordDeserializationError */
  get key(): K | null {
    if (this.keyStart < 0) return null;
    return this.decodedKey ?? (this.decodedKey = this.decode("key", this.source.keySerde, this.keyStart, this.keyEnd));
  }

  /** Null is a tombstone. @throws RecordDeserializationError */
  get value(): V | null {
    if (this.valueStart < 0) return null;
    return (
      this.decodedValue ??
      (this.decodedValue = this.decode("value", this.source.valueSerde, this.valueStart, this.valueEnd))
    );
  }

  /** @throws CorruptRecordError */
  get headers(): Headers {
    return (this.decodedHeaders ??= this.readHeaders());
  }

  /** Whether there are any, without decoding them. */
  get hasHeaders(): boolean {
    return this.headersEnd - this.headersStart > 1;
  }

  private readHeaders(): Headers {
    try {
      return decodeHeaders(this.buffer, this.headersStart, this.headersEnd);
    } catch (cause) {
      throw new CorruptRecordError(this.topic, this.partition, this.offset, "its headers cannot be read", cause);
    }
  }

  private decode<T>(origin: "key" | "value", serde: Serde<T>, start: number, end: number): T {
    try {
      return serde.deserializeRange === undefined
        ? serde.deserialize(this.source.topic, this.buffer.subarray(start, end), this.headers)
        : serde.deserializeRange(this.source.topic, this.buffer, start, end);
    } catch (cause) {
      const { topic, partition } = this.source;
      throw new RecordDeserializationError(topic, partition, this.offset, origin, cause);
    }
  }
}

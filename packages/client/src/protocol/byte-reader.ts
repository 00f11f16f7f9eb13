const TWO_32 = 4_294_967_296;
/** High words of the 64-bit integers that a double holds exactly: −2^53 < v < 2^53. */
const MIN_HIGH = -0x20_0000;
const MAX_HIGH = 0x1f_ffff;

/**
 * A cursor over a response in Kafka's wire encoding. Everything is big-endian; `compact…` is the flexible
 * encoding of KIP-482 (lengths are unsigned varints of length + 1, 0 is null).
 *
 * Reading past the end throws `RangeError`.
 */
export class ByteReader {
  readonly buffer: Buffer;
  position: number;

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer;
    this.position = position;
  }

  get remaining(): number {
    return this.buffer.length - this.position;
  }

  int8(): number {
    const value = this.buffer.readInt8(this.position);
    this.position += 1;
    return value;
  }

  int16(): number {
    const value = this.buffer.readInt16BE(this.position);
    this.position += 2;
    return value;
  }

  uint16(): number {
    const value = this.buffer.readUInt16BE(this.position);
    this.position += 2;
    return value;
  }

  int32(): number {
    const value = this.buffer.readInt32BE(this.position);
    this.position += 4;
    return value;
  }

  uint32(): number {
    const value = this.buffer.readUInt32BE(this.position);
    this.position += 4;
    return value;
  }

  /** @throws RangeError when the value is no safe integer: offsets, timestamps and producer ids are numbers here. */
  int64(): number {
    const value = readInt64(this.buffer, this.position);
    this.position += 8;
    return value;
  }

  float64(): number {
    const value = this.buffer.readDoubleBE(this.position);
    this.position += 8;
    return value;
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  /** A topic id or the like: 32 lower-case hex digits with dashes. */
  uuid(): string {
    const hex = this.take(16).toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** Unsigned varint of at most 32 bits. */
  uvarint(): number {
    let value = 0;
    let multiplier = 1;
    for (let size = 0; size < 5; size++) {
      const byte = this.buffer.readUInt8(this.position++);
      value += (byte & 0x7f) * multiplier;
      if (byte < 0x80) return value;
      multiplier *= 128;
    }
    throw new RangeError(`unsigned varint longer than 5 bytes before position ${this.position}`);
  }

  /** Zigzag varint of 32 bits. */
  varint(): number {
    const zigzag = this.uvarint();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  string(): string {
    return this.nullableString() ?? this.unexpectedNull("string");
  }

  nullableString(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.utf8(length);
  }

  compactString(): string {
    return this.compactNullableString() ?? this.unexpectedNull("string");
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.utf8(length);
  }

  /** A view of the response, not a copy: it keeps the whole response alive. Null where the broker sent null. */
  bytes(): Buffer | null {
    const length = this.int32();
    return length < 0 ? null : this.take(length);
  }

  /** As {@link bytes}, in the flexible encoding. */
  compactBytes(): Buffer | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.take(length);
  }

  /** A string whose length is a zigzag varint, as record headers have it. */
  varintString(): string {
    const length = this.varint();
    return length < 0 ? this.unexpectedNull("string") : this.utf8(length);
  }

  /** As {@link bytes}, its length a zigzag varint. */
  varintBytes(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.take(length);
  }

  /** A null array reads as an empty one; use {@link nullableArray} where the protocol tells them apart. */
  array<T>(read: (reader: this) => T): T[] {
    return this.items(this.int32(), read);
  }

  compactArray<T>(read: (reader: this) => T): T[] {
    return this.items(this.uvarint() - 1, read);
  }

  nullableArray<T>(read: (reader: this) => T): T[] | null {
    const count = this.int32();
    return count < 0 ? null : this.items(count, read);
  }

  compactNullableArray<T>(read: (reader: this) => T): T[] | null {
    const count = this.uvarint() - 1;
    return count < 0 ? null : this.items(count, read);
  }

  /** Steps over tagged fields nobody here reads. */
  skipTags(): this {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
    return this;
  }

  /** Tagged fields: `read` gets each tag, with a reader of exactly that field's bytes. Unknown tags may be left unread. */
  tags(read: (tag: number, field: ByteReader) => void): this {
    for (let left = this.uvarint(); left > 0; left--) {
      const tag = this.uvarint();
      read(tag, new ByteReader(this.take(this.uvarint())));
    }
    return this;
  }

  skip(bytes: number): this {
    if (bytes > this.remaining) this.pastEnd(bytes);
    this.position += bytes;
    return this;
  }

  private take(length: number): Buffer {
    const start = this.position;
    this.skip(length);
    return this.buffer.subarray(start, this.position);
  }

  private utf8(length: number): string {
    const start = this.position;
    this.skip(length);
    return this.buffer.toString("utf8", start, this.position);
  }

  private items<T>(count: number, read: (reader: this) => T): T[] {
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(this));
    return items;
  }

  private unexpectedNull(type: string): never {
    throw new RangeError(`null where the protocol has a ${type}, before position ${this.position}`);
  }

  private pastEnd(bytes: number): never {
    throw new RangeError(
      `${bytes} bytes wanted at position ${this.position}, but the response ends at ${this.buffer.length}`,
    );
  }
}

/** A big-endian int64 as a number. @throws RangeError when it is no safe integer. */
export function readInt64(buffer: Buffer, position: number): number {
  const high = buffer.readInt32BE(position);
  const low = buffer.readUInt32BE(position + 4);
  if (high > MAX_HIGH || high < MIN_HIGH || (high === MIN_HIGH && low === 0)) {
    throw new RangeError(`${buffer.readBigInt64BE(position)} at position ${position} is not a safe integer`);
  }
  return high * TWO_32 + low;
}

const TWO_32 = 4_294_967_296;

/**
 * Writes a request in Kafka's wire encoding into one growing buffer. Every method returns the writer.
 * `compact…` is the flexible encoding of KIP-482.
 */
export class ByteWriter {
  private buffer: Buffer;
  private position = 0;

  constructor(expectedBytes = 256) {
    this.buffer = Buffer.allocUnsafe(expectedBytes);
  }

  get length(): number {
    return this.position;
  }

  int8(value: number): this {
    this.reserve(1);
    this.position = this.buffer.writeInt8(value, this.position);
    return this;
  }

  int16(value: number): this {
    this.reserve(2);
    this.position = this.buffer.writeInt16BE(value, this.position);
    return this;
  }

  uint16(value: number): this {
    this.reserve(2);
    this.position = this.buffer.writeUInt16BE(value, this.position);
    return this;
  }

  int32(value: number): this {
    this.reserve(4);
    this.position = this.buffer.writeInt32BE(value, this.position);
    return this;
  }

  uint32(value: number): this {
    this.reserve(4);
    this.position = this.buffer.writeUInt32BE(value, this.position);
    return this;
  }

  /** @throws RangeError when a number is no safe integer. */
  int64(value: number | bigint): this {
    this.reserve(8);
    writeInt64(this.buffer, value, this.position);
    this.position += 8;
    return this;
  }

  float64(value: number): this {
    this.reserve(8);
    this.position = this.buffer.writeDoubleBE(value, this.position);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  /** 32 hex digits, with or without dashes. */
  uuid(value: string): this {
    const bytes = Buffer.from(value.replaceAll("-", ""), "hex");
    if (bytes.length !== 16) throw new RangeError(`'${value}' is not a UUID`);
    return this.raw(bytes);
  }

  /** Unsigned varint of at most 32 bits. */
  uvarint(value: number): this {
    this.reserve(5);
    let rest = value >>> 0;
    if (rest !== value) throw new RangeError(`${value} is not an unsigned 32-bit integer`);
    while (rest > 0x7f) {
      this.buffer[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.position++] = rest;
    return this;
  }

  /** Zigzag varint of 32 bits. */
  varint(value: number): this {
    return this.uvarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  string(value: string): this {
    const length = Buffer.byteLength(value);
    return this.int16(length).utf8(value, length);
  }

  nullableString(value: string | null): this {
    return value === null ? this.int16(-1) : this.string(value);
  }

  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    return this.uvarint(length + 1).utf8(value, length);
  }

  compactNullableString(value: string | null): this {
    return value === null ? this.uvarint(0) : this.compactString(value);
  }

  bytes(value: Uint8Array | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).raw(value);
  }

  compactBytes(value: Uint8Array | null): this {
    return value === null ? this.uvarint(0) : this.uvarint(value.length + 1).raw(value);
  }

  array<T>(items: readonly T[] | null, write: (writer: this, item: T) => void): this {
    return this.int32(items === null ? -1 : items.length).items(items, write);
  }

  compactArray<T>(items: readonly T[] | null, write: (writer: this, item: T) => void): this {
    return this.uvarint(items === null ? 0 : items.length + 1).items(items, write);
  }

  /** An empty tag buffer. */
  tags(): this {
    return this.int8(0);
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
    return this;
  }

  /** What was written: a view of the writer's buffer. The writer is not to be used afterwards. */
  finish(): Buffer {
    return this.buffer.subarray(0, this.position);
  }

  private utf8(value: string, length: number): this {
    this.reserve(length);
    this.position += this.buffer.write(value, this.position, length, "utf8");
    return this;
  }

  private items<T>(items: readonly T[] | null, write: (writer: this, item: T) => void): this {
    if (items !== null) for (const item of items) write(this, item);
    return this;
  }

  private reserve(bytes: number): void {
    const wanted = this.position + bytes;
    if (wanted <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, wanted));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
  }
}

/** Writes a big-endian int64. @throws RangeError when a number is no safe integer. */
export function writeInt64(buffer: Buffer, value: number | bigint, position: number): void {
  if (typeof value === "bigint") {
    buffer.writeBigInt64BE(value, position);
    return;
  }
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
  const high = Math.floor(value / TWO_32);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(value - high * TWO_32, position + 4);
}

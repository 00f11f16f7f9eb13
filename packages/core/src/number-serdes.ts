import { SerdeError } from "./errors.ts";
import type { Serde } from "./serde.ts";

const TWO_32 = 2 ** 32;
const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;

/** The one NaN that Java's `Double.doubleToLongBits` knows; V8 leaves its sign and payload open. */
const JAVA_NAN = Uint8Array.of(0x7f, 0xf8, 0, 0, 0, 0, 0, 0);

/** 32-bit integers, big-endian: Java's `IntegerSerializer`. */
export const int32Serde: Serde<number> = numberSerde(4, {
  expects: "a 32-bit integer",
  accepts: (value) => Number.isInteger(value) && value >= MIN_INT32 && value <= MAX_INT32,
  write: (buffer, value) => buffer.writeInt32BE(value),
  read: (source, start) => source.readInt32BE(start),
});

/**
 * 64-bit integers, big-endian: Java's `LongSerializer`. An integer beyond ±(2^53 − 1), which a JavaScript number
 * cannot hold exactly, is a {@link SerdeError} both ways.
 */
export const int64Serde: Serde<number> = numberSerde(8, {
  expects: "a safe integer",
  accepts: (value) => Number.isSafeInteger(value),
  write(buffer, value) {
    const high = Math.floor(value / TWO_32);
    buffer.writeInt32BE(high, 0);
    buffer.writeUInt32BE(value - high * TWO_32, 4);
  },
  // Rounding cannot bring an unsafe integer back into the safe range: 2^53 itself is a double.
  read: (source, start) => source.readInt32BE(start) * TWO_32 + source.readUInt32BE(start + 4),
});

/** Double-precision numbers, big-endian: Java's `DoubleSerializer`. */
export const doubleSerde: Serde<number> = numberSerde(8, {
  expects: "a number",
  accepts: (value) => typeof value === "number",
  write(buffer, value) {
    if (Number.isNaN(value)) buffer.set(JAVA_NAN);
    else buffer.writeDoubleBE(value);
  },
  read: (source, start) => source.readDoubleBE(start),
});

interface NumberFormat {
  readonly expects: string;
  readonly accepts: (value: number) => boolean;
  readonly write: (buffer: Buffer, value: number) => void;
  readonly read: (source: Buffer, start: number) => number;
}

function numberSerde(size: number, format: NumberFormat): Serde<number> {
  const { expects, accepts, write, read } = format;
  function readRange(topic: string, source: Buffer, start: number, end: number): number {
    if (end - start !== size) throw new SerdeError(`${size} bytes were expected, got ${end - start}`, { topic });
    const value = read(source, start);
    if (!accepts(value)) throw new SerdeError(`${expects} was expected, the bytes hold something else`, { topic });
    return value;
  }
  return {
    serialize(topic, value) {
      if (!accepts(value)) throw new SerdeError(`${expects} was expected, the value is something else`, { topic });
      const buffer = Buffer.allocUnsafe(size);
      write(buffer, value);
      return buffer;
    },
    deserialize: (topic, bytes) => readRange(topic, bytes, 0, bytes.length),
    deserializeRange: readRange,
  };
}

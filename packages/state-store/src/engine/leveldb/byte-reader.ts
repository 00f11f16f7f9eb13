import { DamagedFileError } from "./damaged-file-error.ts";

/** LevelDB's encodings (`util/coding.h`): plain varints, and bytes behind their length. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** @throws DamagedFileError also above 2^53, which no file offset, file number or sequence reaches */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      if (this.#at >= this.#end) break;
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (Number.isSafeInteger(value)) return value;
        break;
      }
    }
    throw new DamagedFileError("a number in it cannot be read");
  }

  skip(length: number): void {
    if (length > this.#end - this.#at) throw new DamagedFileError("a length in it is too large");
    this.#at += length;
  }

  skipLengthPrefixed(): void {
    this.skip(this.varint());
  }
}

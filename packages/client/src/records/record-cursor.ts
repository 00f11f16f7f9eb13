import { FetchedRecord, type RecordSource } from "./fetched-record.ts";
import type { RecordBatch } from "./record-batch-reader.ts";
import { CorruptRecordError } from "./record-errors.ts";

const EMPTY = Buffer.alloc(0);

/**
 * Goes through the records of a batch. The fields are those of the record that `next()` stopped at; ranges are of
 * {@link buffer}. No object is made per record.
 */
export class RecordCursor {
  buffer: Buffer = EMPTY;
  offset = 0;
  timestamp = 0;
  /** -1 for a null key. */
  keyStart = -1;
  keyEnd = -1;
  /** -1 for a tombstone. */
  valueStart = -1;
  valueEnd = -1;
  /** The header section, its leading count included: at least the one byte of the count 0. */
  headersStart = 0;
  headersEnd = 0;
  private batch: RecordBatch | undefined;
  private position = 0;
  private end = 0;
  private left = 0;
  private fromOffset = 0;
  private baseOffset = 0;
  private baseTimestamp = 0;
  private appendTimestamp: number | undefined;

  /**
   * @param fromOffset - records below it are left out: a fetch gives the whole batch that its offset lies in.
   * @throws MissingCodecError, CorruptRecordError when the batch is compressed.
   */
  open(batch: RecordBatch, fromOffset = 0): void {
    if (batch.count > 0) batch.decompress();
    this.batch = batch;
    this.buffer = batch.buffer;
    this.position = batch.recordsStart;
    this.end = batch.recordsEnd;
    this.left = batch.count;
    this.fromOffset = fromOffset;
    this.baseOffset = batch.baseOffset;
    this.baseTimestamp = batch.baseTimestamp;
    this.appendTimestamp = batch.timestampType === "logAppend" ? batch.maxTimestamp : undefined;
  }

  /**
   * Moves to the next record; false at the end.
   * @throws CorruptRecordError when a record reaches beyond its batch.
   */
  next(): boolean {
    do {
      if (this.left === 0) return false;
      this.left--;
      this.read();
    } while (this.offset < this.fromOffset);
    return true;
  }

  /** The record that `next()` stopped at, as an object of its own: it stays as it is when the cursor moves on. */
  record<K, V>(source: RecordSource<K, V>): FetchedRecord<K, V> {
    return new FetchedRecord(
      source,
      this.buffer,
      this.offset,
      this.timestamp,
      this.keyStart,
      this.keyEnd,
      this.valueStart,
      this.valueEnd,
      this.headersStart,
      this.headersEnd,
    );
  }

  private read(): void {
    const length = this.varint();
    const end = this.position + length;
    if (length < 0 || end > this.end) this.corrupt();
    this.position++; // attributes: none are defined
    const delta = this.varlong();
    this.timestamp = this.appendTimestamp ?? this.baseTimestamp + delta;
    this.offset = this.baseOffset + this.varint();
    const keyBytes = this.varint();
    if (keyBytes < 0) {
      this.keyStart = this.keyEnd = -1;
    } else {
      this.keyStart = this.position;
      this.keyEnd = this.position += keyBytes;
    }
    const valueBytes = this.varint();
    if (valueBytes < 0) {
      this.valueStart = this.valueEnd = -1;
    } else {
      this.valueStart = this.position;
      this.valueEnd = this.position += valueBytes;
    }
    if (this.position >= end) this.corrupt();
    this.headersStart = this.position;
    this.headersEnd = this.position = end;
  }

  private varint(): number {
    const { buffer } = this;
    let position = this.position;
    let byte = buffer[position++]!;
    let zigzag = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
      byte = buffer[position++]!;
      zigzag |= (byte & 0x7f) << shift;
    }
    this.position = position;
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  private varlong(): number {
    const { buffer, position } = this;
    const first = buffer[position]!;
    if (first < 0x80) {
      this.position = position + 1;
      return (first >>> 1) ^ -(first & 1);
    }
    const second = buffer[position + 1]!;
    if (second < 0x80) {
      this.position = position + 2;
      const zigzag = (first & 0x7f) | (second << 7);
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    return this.longVarlong();
  }

  /** The doubled value of a large one is no longer exact in a double, so the sign bit is taken off first. */
  private longVarlong(): number {
    const { buffer } = this;
    let byte = buffer[this.position++]!;
    const isNegative = (byte & 1) === 1;
    let magnitude = (byte & 0x7f) >>> 1;
    for (let factor = 64; byte > 0x7f && this.position < this.end; factor *= 128) {
      byte = buffer[this.position++]!;
      magnitude += (byte & 0x7f) * factor;
    }
    if (magnitude > Number.MAX_SAFE_INTEGER) this.corrupt();
    return isNegative ? -magnitude - 1 : magnitude;
  }

  private corrupt(): never {
    const batch = this.batch!;
    throw new CorruptRecordError(
      batch.topic,
      batch.partition,
      batch.baseOffset,
      `record ${batch.count - this.left} of ${batch.count} reaches beyond its end`,
    );
  }
}

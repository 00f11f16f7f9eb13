import { writeInt64 } from "../protocol/byte-writer.ts";
import type { BatchBuffers } from "./batch-buffers.ts";
import * as at from "./batch-layout.ts";
import { copyBytes } from "./byte-copy.ts";
import type { Codec } from "./codecs.ts";
import { crc32c } from "./crc32c.ts";
import { RecordTooLargeError } from "./record-errors.ts";
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from "./varint.ts";

/** The broker's `message.max.bytes` is 1,048,588 by default: this much and the twelve bytes it does not count. */
const DEFAULT_MAX_BYTES = 1_048_576;

/** Length, timestamp delta, offset delta, key length, value length at their longest, attributes and header count. */
const MOST_OVERHEAD_BYTES = 5 + 8 + 5 + 5 + 5 + 2;

const EMPTY = Buffer.alloc(0);

/** What {@link RecordBatchWriter.seal} writes into the batch's head. */
export interface BatchSeal {
  /** -1 for a producer that is not idempotent. */
  readonly producerId: number | bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  readonly codec: Codec | null;
}

/**
 * One record batch, written straight into one buffer. Producer id, epoch and sequence go in at {@link seal}, so that
 * a batch may be filled before the coordinator has told them.
 */
export class RecordBatchWriter {
  private readonly buffers: BatchBuffers;
  private readonly maxBytes: number;
  private buffer: Buffer;
  /** Up to here records are written without further ado; 0 once nothing may be written any more. */
  private limit: number;
  private position = at.RECORDS_AT;
  private records = 0;
  private baseTimestamp = 0;
  private maxTimestamp = 0;
  private compressed: Buffer | null = null;
  private compressedBy: Codec | null = null;

  /**
   * @param expectedBytes - what the batch will probably take (what the partition's last one took); it grows when it is more.
   * @param maxBytes - what it may take at most, before compression.
   */
  constructor(buffers: BatchBuffers, expectedBytes: number, maxBytes = DEFAULT_MAX_BYTES) {
    this.buffers = buffers;
    this.maxBytes = maxBytes;
    this.buffer = buffers.take(Math.min(Math.max(expectedBytes, at.RECORDS_AT), maxBytes));
    this.limit = Math.min(this.buffer.length, maxBytes);
  }

  get count(): number {
    return this.records;
  }

  /** The batch's bytes so far, its head included, before compression. */
  get sizeInBytes(): number {
    return this.position;
  }

  /**
   * Appends a record. Key and headers are ranges of other buffers, so that a copy goes from bytes to bytes.
   *
   * @param keyStart - -1 for a null key.
   * @param value - a string is written as UTF-8; null is a tombstone.
   * @param headersSource - has an encoded header section, its leading count included, in `[headersStart, headersEnd)`; null for no headers.
   * @returns false when the batch is full; nothing was written then.
   * @throws RecordTooLargeError when the record does not fit into an empty batch.
   */
  append(
    timestamp: number,
    keySource: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    headersSource: Buffer | null,
    headersStart: number,
    headersEnd: number,
  ): boolean {
    if (typeof value !== "string") {
      return value === null
        ? this.appendRange(
            timestamp,
            keySource,
            keyStart,
            keyEnd,
            keySource,
            -1,
            -1,
            headersSource,
            headersStart,
            headersEnd,
          )
        : this.appendRange(
            timestamp,
            keySource,
            keyStart,
            keyEnd,
            value,
            0,
            value.length,
            headersSource,
            headersStart,
            headersEnd,
          );
    }
    const keyBytes = keyStart < 0 ? -1 : keyEnd - keyStart;
    const headerBytes = headersSource === null ? 1 : headersEnd - headersStart;
    if (
      this.position + MOST_OVERHEAD_BYTES + keyBytes + value.length * 3 + headerBytes > this.limit &&
      !this.makeRoom(timestamp, keyBytes, Buffer.byteLength(value), headerBytes)
    ) {
      return false;
    }
    const { buffer } = this;
    // Most strings are ASCII. One that is not is written twice, the second time with its true length.
    let position = this.writeHead(timestamp, keySource, keyStart, keyBytes, value.length, headerBytes);
    let valueBytes = buffer.write(value, position);
    if (valueBytes !== value.length) {
      position = this.writeHead(timestamp, keySource, keyStart, keyBytes, valueBytes, headerBytes);
      valueBytes = buffer.write(value, position);
    }
    this.finish(position + valueBytes, timestamp, headersSource, headersStart, headersEnd);
    return true;
  }

  /** As {@link append}, with a range of a buffer as the value (`valueStart` -1 for null): no view has to be made for it. */
  appendRange(
    timestamp: number,
    keySource: Buffer,
    keyStart: number,
    keyEnd: number,
    valueSource: Uint8Array,
    valueStart: number,
    valueEnd: number,
    headersSource: Buffer | null,
    headersStart: number,
    headersEnd: number,
  ): boolean {
    const keyBytes = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueBytes = valueStart < 0 ? -1 : valueEnd - valueStart;
    const headerBytes = headersSource === null ? 1 : headersEnd - headersStart;
    if (
      this.position + MOST_OVERHEAD_BYTES + keyBytes + valueBytes + headerBytes > this.limit &&
      !this.makeRoom(timestamp, keyBytes, valueBytes, headerBytes)
    ) {
      return false;
    }
    let position = this.writeHead(timestamp, keySource, keyStart, keyBytes, valueBytes, headerBytes);
    if (valueBytes > 0) position = copyBytes(valueSource, valueStart, valueEnd, this.buffer, position);
    this.finish(position, timestamp, headersSource, headersStart, headersEnd);
    return true;
  }

  /**
   * Writes the batch's head and checksum. The bytes are a view of the writer's buffer, valid until {@link free}.
   * Nothing can be appended afterwards. Sealing again with the same arguments, for a retry, gives the same bytes;
   * with others, only the head is written anew: views of the earlier sealing change with it.
   */
  seal({ producerId, producerEpoch, baseSequence, transactional, codec }: BatchSeal): Buffer {
    if (this.buffer === EMPTY) throw new Error("a freed record batch cannot be sealed");
    if (this.records === 0) throw new Error("a record batch without records cannot be sealed");
    this.limit = 0;
    const batch = codec === null ? this.buffer.subarray(0, this.position) : this.compress(codec);
    batch.writeInt32BE(0, at.BASE_OFFSET_AT);
    batch.writeInt32BE(0, at.BASE_OFFSET_AT + 4);
    batch.writeInt32BE(batch.length - at.LENGTH_EXCLUDES, at.BATCH_LENGTH_AT);
    batch.writeInt32BE(-1, at.LEADER_EPOCH_AT);
    batch.writeInt8(at.MAGIC, at.MAGIC_AT);
    batch.writeInt16BE((transactional ? at.TRANSACTIONAL_BIT : 0) | (codec === null ? 0 : codec.id), at.ATTRIBUTES_AT);
    batch.writeInt32BE(this.records - 1, at.LAST_OFFSET_DELTA_AT);
    writeInt64(batch, this.baseTimestamp, at.BASE_TIMESTAMP_AT);
    writeInt64(batch, this.maxTimestamp, at.MAX_TIMESTAMP_AT);
    writeInt64(batch, producerId, at.PRODUCER_ID_AT);
    batch.writeInt16BE(producerEpoch, at.PRODUCER_EPOCH_AT);
    batch.writeInt32BE(baseSequence, at.BASE_SEQUENCE_AT);
    batch.writeInt32BE(this.records, at.RECORD_COUNT_AT);
    batch.writeUInt32BE(crc32c(batch, at.ATTRIBUTES_AT), at.CRC_AT);
    return batch;
  }

  /** Gives the buffer back; the batch is gone. Only once no request that carries it is under way. May be called again. */
  free(): void {
    if (this.buffer === EMPTY) return;
    this.buffers.give(this.buffer);
    this.buffer = EMPTY;
    this.limit = 0;
    this.compressed = null;
  }

  /** Everything of a record before its value. Returns the position behind it; the batch's own position stays. */
  private writeHead(
    timestamp: number,
    keySource: Buffer,
    keyStart: number,
    keyBytes: number,
    valueBytes: number,
    headerBytes: number,
  ): number {
    const { buffer, records } = this;
    if (records === 0) this.baseTimestamp = this.maxTimestamp = safeTimestamp(timestamp);
    const delta = timestamp - this.baseTimestamp;
    const isSmall = delta === (delta | 0);
    const deltaBytes = isSmall ? sizeOfVarint(delta) : sizeOfVarlong(safeTimestamp(delta));
    const length = recordLength(deltaBytes, records, keyBytes, valueBytes, headerBytes);
    let position = writeVarint(buffer, this.position, length);
    buffer[position++] = 0;
    position = isSmall ? writeVarint(buffer, position, delta) : writeVarlong(buffer, position, delta);
    position = writeVarint(buffer, position, records);
    position = writeVarint(buffer, position, keyBytes);
    if (keyBytes > 0) position = copyBytes(keySource, keyStart, keyStart + keyBytes, buffer, position);
    return writeVarint(buffer, position, valueBytes);
  }

  private finish(
    valueEnd: number,
    timestamp: number,
    headersSource: Buffer | null,
    headersStart: number,
    headersEnd: number,
  ): void {
    if (headersSource === null) {
      this.buffer[valueEnd] = 0;
      this.position = valueEnd + 1;
    } else {
      this.position = copyBytes(headersSource, headersStart, headersEnd, this.buffer, valueEnd);
    }
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    this.records++;
  }

  /** A rough guess did not fit, so the exact size counts. Returns false when the record has to go into another batch. */
  private makeRoom(timestamp: number, keyBytes: number, valueBytes: number, headerBytes: number): boolean {
    if (this.limit === 0) throw new Error("nothing can be appended to a sealed or freed record batch");
    const deltaBytes = this.records === 0 ? 1 : sizeOfVarlong(safeTimestamp(timestamp - this.baseTimestamp));
    const length = recordLength(deltaBytes, this.records, keyBytes, valueBytes, headerBytes);
    const wanted = this.position + sizeOfVarint(length) + length;
    if (wanted > this.maxBytes) {
      if (this.records === 0) throw new RecordTooLargeError(wanted, this.maxBytes);
      return false;
    }
    if (wanted > this.buffer.length) this.grow(wanted);
    return true;
  }

  private grow(wanted: number): void {
    const grown = this.buffers.take(Math.min(Math.max(wanted, this.buffer.length * 2), this.maxBytes));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffers.give(this.buffer);
    this.buffer = grown;
    this.limit = Math.min(grown.length, this.maxBytes);
  }

  private compress(codec: Codec): Buffer {
    if (this.compressed === null || this.compressedBy !== codec) {
      const records = codec.compress(this.buffer.subarray(at.RECORDS_AT, this.position));
      const batch = Buffer.allocUnsafeSlow(at.RECORDS_AT + records.length);
      records.copy(batch, at.RECORDS_AT);
      this.compressed = batch;
      this.compressedBy = codec;
    }
    return this.compressed;
  }
}

/** A record's length, without the varint that says it. */
function recordLength(
  deltaBytes: number,
  offsetDelta: number,
  keyBytes: number,
  valueBytes: number,
  headerBytes: number,
): number {
  return (
    1 +
    deltaBytes +
    sizeOfVarint(offsetDelta) +
    sizeOfVarint(keyBytes) +
    (keyBytes > 0 ? keyBytes : 0) +
    sizeOfVarint(valueBytes) +
    (valueBytes > 0 ? valueBytes : 0) +
    headerBytes
  );
}

function safeTimestamp(timestamp: number): number {
  if (Number.isSafeInteger(timestamp)) return timestamp;
  throw new RangeError(
    `a record's timestamp must be a whole number of ms below 2^53, and so must its distance to others; got ${timestamp}`,
  );
}

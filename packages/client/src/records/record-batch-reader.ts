import { readInt64 } from "../protocol/byte-reader.ts";
import * as at from "./batch-layout.ts";
import { codecFor } from "./codecs.ts";
import { crc32c } from "./crc32c.ts";
import { CorruptRecordError, UnsupportedBatchError } from "./record-errors.ts";
import { RecordCursor } from "./record-cursor.ts";

/** As the broker lists them beside the records of a read-committed fetch. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface BatchReading {
  readonly topic: string;
  readonly partition: number;
  readonly isolation: "read_committed" | "read_uncommitted";
  /** In any order: the broker sorts them by their last offset. */
  readonly aborted: readonly AbortedTransaction[];
  /** Where the fetch was to start; batches that end before it are left out. */
  readonly fetchOffset: number;
  readonly verifyCrc: boolean;
}

/**
 * One record batch of a fetch response, its records still encoded. A control batch or one of an aborted transaction has
 * {@link count} 0, and so may a compacted one: reading goes on at {@link nextOffset} all the same.
 */
export class RecordBatch {
  readonly topic: string;
  readonly partition: number;
  /** Holds the records in `[recordsStart, recordsEnd)`: the response itself, or what was decompressed of it. */
  buffer: Buffer;
  recordsStart: number;
  recordsEnd: number;
  /** Records to be delivered. */
  readonly count: number;
  readonly baseOffset: number;
  /** The offset behind the batch, which is not the last record's plus one when the cleaner took that away. */
  readonly nextOffset: number;
  readonly baseTimestamp: number;
  /** With log-append time the timestamp of every record. */
  readonly maxTimestamp: number;
  readonly timestampType: "create" | "logAppend";
  readonly producerId: number;
  /** 0 for none, see `codecFor`. */
  readonly codecId: number;
  /** As fetched: head included, compressed. */
  readonly sizeInBytes: number;
  readonly isolated: "data" | "control" | "aborted";
  private isCompressed: boolean;

  constructor(reading: BatchReading, head: BatchHead, buffer: Buffer, isolated: RecordBatch["isolated"]) {
    this.topic = reading.topic;
    this.partition = reading.partition;
    this.buffer = buffer;
    this.recordsStart = head.start + at.RECORDS_AT;
    this.recordsEnd = head.end;
    this.count = isolated === "data" ? head.count : 0;
    this.baseOffset = head.baseOffset;
    this.nextOffset = head.lastOffset + 1;
    this.baseTimestamp = head.baseTimestamp;
    this.maxTimestamp = head.maxTimestamp;
    this.timestampType = head.attributes & at.LOG_APPEND_TIME_BIT ? "logAppend" : "create";
    this.producerId = head.producerId;
    this.codecId = head.attributes & at.CODEC_BITS;
    this.sizeInBytes = head.end - head.start;
    this.isolated = isolated;
    this.isCompressed = this.codecId !== 0;
  }

  /**
   * Decompresses the records, once; a cursor calls it on opening.
   * @throws MissingCodecError, CorruptRecordError
   */
  decompress(): void {
    if (!this.isCompressed) return;
    const codec = codecFor(this.codecId);
    let records: Buffer;
    try {
      records = codec.decompress(this.buffer.subarray(this.recordsStart, this.recordsEnd));
    } catch (error) {
      throw new CorruptRecordError(this.topic, this.partition, this.baseOffset, `${codec.name} failed`, error);
    }
    this.buffer = records;
    this.recordsStart = 0;
    this.recordsEnd = records.length;
    this.isCompressed = false;
  }
}

interface BatchHead {
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly attributes: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly count: number;
}

/**
 * The record batches in `buffer[start, end)`, which is one partition's part of a fetch response. Only heads are read.
 * An incomplete batch at the end is left out: the broker cuts where the size limit is, though never the first batch.
 *
 * A batch that cannot be read ends the list when there are others before it, and throws when it is the first: so
 * what comes before it is delivered, and the next fetch, which starts at it, says what is wrong.
 *
 * Aborted transactions are filtered as Java's `CompletedFetch` does it.
 *
 * @throws CorruptRecordError, UnsupportedBatchError
 */
export function readRecordBatches(buffer: Buffer, start: number, end: number, reading: BatchReading): RecordBatch[] {
  const batches: RecordBatch[] = [];
  const filter = reading.isolation === "read_committed" ? new AbortedFilter(reading.aborted) : undefined;
  let position = start;
  try {
    while (position + at.RECORDS_AT <= end) {
      const batchEnd = position + at.LENGTH_EXCLUDES + buffer.readInt32BE(position + at.BATCH_LENGTH_AT);
      if (batchEnd > end) break;
      const head = readHead(buffer, position, batchEnd, reading);
      const isolated = isolate(buffer, head, reading, filter);
      if (head.lastOffset >= reading.fetchOffset) batches.push(new RecordBatch(reading, head, buffer, isolated));
      position = batchEnd;
    }
    if (position === start && end > start) throw incomplete(end - start, reading);
  } catch (error) {
    if (batches.length === 0) throw error;
  }
  return batches;
}

/** Taken for an empty answer, this would be fetched again for ever. */
function incomplete(bytes: number, { topic, partition, fetchOffset }: BatchReading): CorruptRecordError {
  return new CorruptRecordError(topic, partition, fetchOffset, `${bytes} bytes came, but not one whole batch`);
}

function readHead(buffer: Buffer, start: number, end: number, reading: BatchReading): BatchHead {
  const { topic, partition } = reading;
  const offset = readOffset(buffer, start, reading);
  const magic = buffer.readInt8(start + at.MAGIC_AT);
  if (magic !== at.MAGIC) throw new UnsupportedBatchError(topic, partition, offset, `it has message format ${magic}`);
  if (end - start < at.RECORDS_AT) {
    throw new CorruptRecordError(topic, partition, offset, `it is ${end - start} bytes long, shorter than its head`);
  }
  if (reading.verifyCrc) {
    const expected = buffer.readUInt32BE(start + at.CRC_AT);
    const actual = crc32c(buffer, start + at.ATTRIBUTES_AT, end);
    if (actual !== expected) {
      throw new CorruptRecordError(topic, partition, offset, `CRC ${hex(actual)} instead of ${hex(expected)}`);
    }
  }
  try {
    return {
      start,
      end,
      baseOffset: offset,
      lastOffset: offset + buffer.readInt32BE(start + at.LAST_OFFSET_DELTA_AT),
      attributes: buffer.readInt16BE(start + at.ATTRIBUTES_AT),
      baseTimestamp: readInt64(buffer, start + at.BASE_TIMESTAMP_AT),
      maxTimestamp: readInt64(buffer, start + at.MAX_TIMESTAMP_AT),
      producerId: readInt64(buffer, start + at.PRODUCER_ID_AT),
      count: buffer.readInt32BE(start + at.RECORD_COUNT_AT),
    };
  } catch (error) {
    throw new UnsupportedBatchError(topic, partition, offset, error instanceof Error ? error.message : String(error));
  }
}

/** The base offset is outside the checksum, so a nonsensical one is damage rather than a limit of ours. */
function readOffset(buffer: Buffer, start: number, { topic, partition, fetchOffset }: BatchReading): number {
  try {
    return readInt64(buffer, start + at.BASE_OFFSET_AT);
  } catch (error) {
    throw new CorruptRecordError(topic, partition, fetchOffset, "its base offset makes no sense", error);
  }
}

function isolate(
  buffer: Buffer,
  head: BatchHead,
  reading: BatchReading,
  filter: AbortedFilter | undefined,
): RecordBatch["isolated"] {
  const isControl = (head.attributes & at.CONTROL_BIT) !== 0;
  if (filter !== undefined && head.producerId >= 0) {
    filter.activateUpTo(head.lastOffset);
    if (isControl) {
      if (isAbortMarker(new RecordBatch(reading, head, buffer, "data"))) filter.deactivate(head.producerId);
    } else if (head.attributes & at.TRANSACTIONAL_BIT && filter.isActive(head.producerId)) {
      return "aborted";
    }
  }
  return isControl ? "control" : "data";
}

/** Which producers have an aborted transaction open at the batch being looked at. */
class AbortedFilter {
  private readonly waiting: AbortedTransaction[];
  private readonly active = new Set<number>();
  private next = 0;

  constructor(aborted: readonly AbortedTransaction[]) {
    this.waiting = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  activateUpTo(offset: number): void {
    for (; this.next < this.waiting.length; this.next++) {
      const transaction = this.waiting[this.next]!;
      if (transaction.firstOffset > offset) return;
      this.active.add(transaction.producerId);
    }
  }

  deactivate(producerId: number): void {
    this.active.delete(producerId);
  }

  isActive(producerId: number): boolean {
    return this.active.has(producerId);
  }
}

/** A control record's key is version (int16) and type (int16), 0 for abort. A compacted control batch may be empty. */
function isAbortMarker(batch: RecordBatch): boolean {
  const marker = new RecordCursor();
  marker.open(batch);
  return marker.next() && marker.keyEnd - marker.keyStart >= 4 && batch.buffer.readInt16BE(marker.keyStart + 2) === 0;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}

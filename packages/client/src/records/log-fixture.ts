import { BatchBuffers } from "./batch-buffers.ts";
import * as at from "./batch-layout.ts";
import type { Codec } from "./codecs.ts";
import { crc32c } from "./crc32c.ts";
import { RecordBatchWriter } from "./record-batch-writer.ts";

/** A record for {@link LogFixture}. */
export interface FixtureRecord {
  readonly timestamp?: number;
  readonly key?: Buffer | null;
  readonly value: string | Buffer | null;
  /** An encoded header section. */
  readonly headers?: Buffer;
}

export interface FixtureBatch {
  /** -1 when absent, as a producer that is not idempotent has it. */
  readonly producerId?: number;
  readonly transactional?: boolean;
  readonly codec?: Codec | null;
  /** Attribute bits besides those. */
  readonly attributes?: number;
}

const NO_KEY = Buffer.alloc(0);

/** For tests: the bytes of one partition's log, with offsets as the broker gives them. */
export class LogFixture {
  /** Where each batch starts in the log, and its offsets. */
  readonly batches: { readonly bytes: Buffer; readonly firstOffset: number; readonly lastOffset: number }[] = [];
  private readonly buffers = new BatchBuffers();
  private offset = 0;

  get endOffset(): number {
    return this.offset;
  }

  /** Appends a batch and returns the offset of its first record. */
  append(records: readonly FixtureRecord[], options: FixtureBatch = {}): number {
    const writer = new RecordBatchWriter(this.buffers, 0);
    for (const { timestamp = 1_000, key = null, value, headers } of records) {
      const range = [key === null ? -1 : 0, key === null ? -1 : key.length] as const;
      writer.append(timestamp, key ?? NO_KEY, ...range, value, headers ?? null, 0, headers?.length ?? 0);
    }
    const { producerId = -1, transactional = false, codec = null } = options;
    const bytes = Buffer.from(writer.seal({ producerId, producerEpoch: 0, baseSequence: 0, transactional, codec }));
    writer.free();
    bytes.writeInt16BE(bytes.readInt16BE(at.ATTRIBUTES_AT) | (options.attributes ?? 0), at.ATTRIBUTES_AT);
    return this.appendBytes(bytes, records.length);
  }

  /** Appends a transaction marker. */
  mark(producerId: number, type: "commit" | "abort"): number {
    const key = Buffer.of(0, 0, 0, type === "commit" ? 1 : 0);
    const value = Buffer.alloc(6);
    return this.append([{ key, value }], { producerId, transactional: true, attributes: at.CONTROL_BIT });
  }

  /** Appends what the cleaner leaves of a batch of `count` offsets when it took all its records away. */
  appendEmptied(count: number, producerId = -1): number {
    const bytes = Buffer.alloc(at.RECORDS_AT);
    bytes.writeInt32BE(at.RECORDS_AT - at.LENGTH_EXCLUDES, at.BATCH_LENGTH_AT);
    bytes.writeInt8(at.MAGIC, at.MAGIC_AT);
    bytes.writeBigInt64BE(BigInt(producerId), at.PRODUCER_ID_AT);
    return this.appendBytes(bytes, count);
  }

  /** What the broker sends for a fetch: whole batches from the one that holds `fromOffset`. */
  bytesFrom(fromOffset: number, toOffset = this.offset): Buffer {
    const wanted = this.batches.filter(
      ({ firstOffset, lastOffset }) => lastOffset >= fromOffset && firstOffset < toOffset,
    );
    return Buffer.concat(wanted.map(({ bytes }) => bytes));
  }

  private appendBytes(bytes: Buffer, offsets: number): number {
    const firstOffset = this.offset;
    this.offset += offsets;
    bytes.writeBigInt64BE(BigInt(firstOffset), at.BASE_OFFSET_AT);
    bytes.writeInt32BE(offsets - 1, at.LAST_OFFSET_DELTA_AT);
    bytes.writeUInt32BE(crc32c(bytes, at.ATTRIBUTES_AT), at.CRC_AT);
    this.batches.push({ bytes, firstOffset, lastOffset: this.offset - 1 });
    return firstOffset;
  }
}

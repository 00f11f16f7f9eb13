import {
  BatchBuffers,
  type BatchChunk,
  type PartitionReaderOptions,
  readRecordBatches,
  type RecordBatch,
  RecordBatchWriter,
} from "@eos/client";
import type { TopicPartition } from "@eos/core";
import type { RestoreOptions } from "./restore.ts";

export const CHANGELOG: TopicPartition = { topic: "app-counts-changelog", partition: 0 };

const BASE_OFFSET_AT = 0;

/** For tests: a changelog whose batches a client reads, one a chunk. */
export class ChangelogFixture {
  readonly batches: RecordBatch[] = [];
  earliest = 0;
  /** Where the first open transaction begins, if there is one. */
  firstUndecided: number | null = null;
  /** Thrown once each, before anything is listed or read. */
  readonly failures: Error[] = [];
  /** Thrown in place of the batch at this offset, once. */
  readonly failuresAt = new Map<number, Error>();
  /** Offsets from which it was read. */
  readonly readFrom: number[] = [];
  /** Called when a reader has come to the end. */
  onDrained = (): void => {};
  #end = 0;

  get end(): number {
    return this.#end;
  }

  /** Appends a batch of as many records, and leaves out `gap` offsets behind it: markers, or what the cleaner took. */
  append(count: number, gap = 0): void {
    const writer = new RecordBatchWriter(new BatchBuffers(), 0);
    for (let i = 0; i < count; i++) {
      const key = Buffer.from(`key ${this.#end + i}`);
      writer.append(1_000 + i, key, 0, key.length, `value ${this.#end + i}`, null, 0, 0);
    }
    const seal = { producerId: -1, producerEpoch: -1, baseSequence: -1, transactional: false, codec: null };
    const bytes = Buffer.from(writer.seal(seal));
    bytes.writeBigInt64BE(BigInt(this.#end), BASE_OFFSET_AT);
    const reading = {
      ...CHANGELOG,
      isolation: "read_committed",
      aborted: [],
      fetchOffset: 0,
      verifyCrc: true,
    } as const;
    this.batches.push(...readRecordBatches(bytes, 0, bytes.length, reading));
    this.#end += count + gap;
  }

  get client(): RestoreOptions["client"] {
    return {
      admin: {
        listOffsets: (partitions, spec, isolation) => {
          const failure = this.failures.shift();
          if (failure !== undefined) return Promise.reject(failure);
          const stable = isolation === "read_committed" ? (this.firstUndecided ?? this.#end) : this.#end;
          const offset = spec === "earliest" ? this.earliest : stable;
          return Promise.resolve(partitions.map((partition) => ({ ...partition, offset })));
        },
      },
      readChunks: (options) => this.#chunks(options),
    };
  }

  async *#chunks({ from, to = Infinity, signal }: PartitionReaderOptions): AsyncGenerator<BatchChunk> {
    this.readFrom.push(from);
    let position = from;
    for (let index = 0; position < to; index++) {
      signal?.throwIfAborted();
      const batch = this.batches[index];
      if (batch === undefined) {
        if (to !== Infinity) return;
        const aborted = new Promise<void>((resolve) =>
          signal?.addEventListener("abort", () => resolve(), { once: true }),
        );
        this.onDrained();
        await aborted;
        continue;
      }
      if (batch.nextOffset <= from) continue;
      const failure = this.failuresAt.get(batch.baseOffset);
      this.failuresAt.delete(batch.baseOffset);
      if (failure !== undefined) throw failure;
      position = this.batches[index + 1]?.baseOffset ?? this.#end;
      yield { batches: [batch], nextOffset: position };
    }
  }
}

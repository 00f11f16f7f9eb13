import { BatchBuffers, readRecordBatches, type RecordBatch, RecordBatchWriter } from "@eos/client";
import type { TopicPartition } from "@eos/core";

/** A record on its way into a {@link SimulatedPartition}. */
export interface SimulatedRecord {
  readonly key: Buffer;
  /** `null`: a tombstone. */
  readonly value: Buffer | null;
  readonly timestamp: number;
  /** An encoded header section; `null`: none. */
  readonly headers: Buffer | null;
}

type Isolation = RecordBatchReading["isolation"];
type RecordBatchReading = Parameters<typeof readRecordBatches>[3];

interface LogBatch {
  readonly lastOffset: number;
  readonly producerId: number;
  readonly kind: "data" | "commit" | "abort";
  /** Markers have one. */
  readonly records: readonly (SimulatedRecord & { readonly offset: number })[];
}

interface Aborted {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly markerOffset: number;
}

const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const CONTROL_BIT = 0x20;
const HEAD_BYTES = 61;

/**
 * One partition of a broker's log, in memory, with transactions as Kafka has them: records of an open one lie in the
 * log, its end is a marker that takes an offset of its own, and compaction leaves gaps. What is read went through
 * the wire format.
 */
export class SimulatedPartition {
  readonly #topicPartition: TopicPartition;
  readonly #buffers = new BatchBuffers();
  /** First offset of each open transaction, by its producer. */
  readonly #open = new Map<number, number>();
  #log: LogBatch[] = [];
  #aborted: Aborted[] = [];
  #startOffset = 0;
  #highWatermark = 0;
  #wake = (): void => {};
  #changed = Promise.resolve();

  constructor(topicPartition: TopicPartition) {
    this.#topicPartition = topicPartition;
    this.#nextChange();
  }

  get startOffset(): number {
    return this.#startOffset;
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Where the first open transaction begins. */
  get lastStableOffset(): number {
    return Math.min(this.#highWatermark, ...this.#open.values());
  }

  /** Resolves with the next append, of records or a marker. */
  get changed(): Promise<void> {
    return this.#changed;
  }

  /** What a read-committed reader gets, without tombstones being looked at. */
  get committedRecords(): readonly (SimulatedRecord & { readonly offset: number })[] {
    const end = this.lastStableOffset;
    return this.#log.flatMap((batch) =>
      batch.kind === "data" && batch.lastOffset < end && !this.#isAborted(batch) ? batch.records : [],
    );
  }

  /** Begins the producer's transaction here if none is open. Returns the offset behind the last record. */
  append(producerId: number, records: readonly SimulatedRecord[]): number {
    if (records.length === 0) return this.#highWatermark;
    if (!this.#open.has(producerId)) this.#open.set(producerId, this.#highWatermark);
    this.#push(producerId, "data", records);
    return this.#highWatermark;
  }

  /** The marker that ends the producer's transaction; nothing when none is open here. */
  end(producerId: number, outcome: "commit" | "abort"): void {
    const firstOffset = this.#open.get(producerId);
    if (firstOffset === undefined) return;
    this.#open.delete(producerId);
    const markerOffset = this.#highWatermark;
    if (outcome === "abort") this.#aborted.push({ producerId, firstOffset, markerOffset });
    this.#push(producerId, outcome, [marker(outcome)]);
  }

  /**
   * Leaves the last committed record of each key, and markers. The newest batch is as it was: Kafka never cleans the
   * segment that is written to, so that a log ends where it ended before.
   */
  compact(): void {
    const newest = this.#log.at(-1);
    const stable = this.lastStableOffset;
    const last = new Map<string, number>();
    for (const { key, offset } of this.committedRecords) last.set(key.toString("latin1"), offset);
    this.#log = this.#log.flatMap((batch) => {
      if (batch === newest || batch.kind !== "data" || batch.lastOffset >= stable) return [batch];
      if (this.#isAborted(batch)) return [];
      const records = batch.records.filter(({ key, offset }) => last.get(key.toString("latin1")) === offset);
      return records.length === 0 ? [] : [{ ...batch, records }];
    });
  }

  /** Deletes what lies before an offset, as retention does. */
  deleteRecords(before: number): void {
    this.#startOffset = before;
    this.#log = this.#log.filter(({ lastOffset }) => lastOffset >= before);
  }

  /** At most `maxBatches` from an offset on, as the broker gives and the client reads them. */
  read(fetchOffset: number, isolation: Isolation, maxBatches: number): RecordBatch[] {
    const end = isolation === "read_committed" ? this.lastStableOffset : this.#highWatermark;
    const wanted = this.#log.filter(({ lastOffset }) => lastOffset >= fetchOffset && lastOffset < end);
    const bytes = Buffer.concat(wanted.slice(0, maxBatches).flatMap((batch) => this.#encode(batch)));
    // Those that ended before would make later transactions of the same producer look aborted.
    const aborted = this.#aborted.filter(({ markerOffset }) => markerOffset >= fetchOffset);
    const reading = { ...this.#topicPartition, isolation, aborted, fetchOffset, verifyCrc: false };
    return readRecordBatches(bytes, 0, bytes.length, reading);
  }

  #push(producerId: number, kind: LogBatch["kind"], records: readonly SimulatedRecord[]): void {
    const baseOffset = this.#highWatermark;
    this.#highWatermark += records.length;
    const placed = records.map((record, delta) => ({ ...record, offset: baseOffset + delta }));
    this.#log.push({ lastOffset: this.#highWatermark - 1, producerId, kind, records: placed });
    this.#wake();
    this.#nextChange();
  }

  #nextChange(): void {
    this.#changed = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #isAborted({ producerId, lastOffset }: LogBatch): boolean {
    return this.#aborted.some(
      (each) => each.producerId === producerId && each.firstOffset <= lastOffset && lastOffset < each.markerOffset,
    );
  }

  /** A batch each for records whose offsets follow on one another. */
  #encode(batch: LogBatch): Buffer[] {
    const runs: LogBatch["records"][number][][] = [];
    for (const record of batch.records) {
      const run = runs.at(-1);
      if (run?.at(-1)?.offset === record.offset - 1) run.push(record);
      else runs.push([record]);
    }
    return runs.map((run, index) => {
      const bytes = this.#encodeRun(batch, run);
      const lastOffset = index === runs.length - 1 ? batch.lastOffset : run.at(-1)!.offset;
      bytes.writeInt32BE(lastOffset - run[0]!.offset, LAST_OFFSET_DELTA_AT);
      return bytes;
    });
  }

  #encodeRun({ producerId, kind }: LogBatch, records: LogBatch["records"]): Buffer {
    const writer = new RecordBatchWriter(this.#buffers, HEAD_BYTES);
    for (const { timestamp, key, value, headers } of records) {
      const isWritten = writer.append(timestamp, key, 0, key.length, value, headers, 0, headers?.length ?? 0);
      if (!isWritten) throw new RangeError("what a transaction writes at a time must fit into one record batch");
    }
    const seal = { producerId, producerEpoch: 0, baseSequence: 0, transactional: true, codec: null };
    const bytes = Buffer.from(writer.seal(seal));
    writer.free();
    bytes.writeBigInt64BE(BigInt(records[0]!.offset));
    if (kind !== "data") bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES_AT) | CONTROL_BIT, ATTRIBUTES_AT);
    return bytes;
  }
}

/** A control record: version and type in its key, the coordinator's epoch in its value. */
function marker(outcome: "commit" | "abort"): SimulatedRecord {
  const key = Buffer.alloc(4);
  key.writeInt16BE(outcome === "commit" ? 1 : 0, 2);
  return { key, value: Buffer.alloc(6), timestamp: 0, headers: null };
}

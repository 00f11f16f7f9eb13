import type { GroupGeneration } from "../group/group-generation.ts";
import type { RecordBatch } from "../records/record-batch-reader.ts";

/**
 * The fetched and not yet processed batches of one partition, and the position behind them. Bounded in records and bytes:
 * the fetcher leaves a full queue out of its requests.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /**
   * The generation the batches belong to; `null` without a group. It may be renewed only when the same member holds
   * the partition in two consecutive generations: nobody else can have had it in between.
   */
  generation: GroupGeneration | null;
  /** Next offset to fetch. */
  position: number;
  /** The broker's last stable offset at the last fetch; −1 before. */
  lastStableOffset = -1;
  /** Rises with every {@link seek}: answers to older fetches are dropped. */
  epoch = 0;
  /** Of the batches that are waiting, and of those taken and not yet released. */
  bytes = 0;
  records = 0;
  /** Records of all batches that were ever released: what its rate is measured by. */
  drained = 0;
  closed = false;
  /** Not fetched while this is set; what was on its way by then still comes. */
  paused = false;
  readonly #batches: (RecordBatch | null)[] = [];
  #head = 0;

  constructor(topic: string, partition: number, position: number, generation: GroupGeneration | null) {
    this.topic = topic;
    this.partition = partition;
    this.position = position;
    this.generation = generation;
  }

  get isEmpty(): boolean {
    return this.#head === this.#batches.length;
  }

  push(batch: RecordBatch): void {
    this.#batches.push(batch);
    this.bytes += batch.sizeInBytes;
    this.records += batch.count;
    this.position = batch.nextOffset;
  }

  /** The oldest batch, no longer in the queue; its records and bytes count until {@link release}. */
  shift(): RecordBatch | null {
    if (this.#head === this.#batches.length) return null;
    const batch = this.#batches[this.#head] as RecordBatch;
    this.#batches[this.#head++] = null;
    if (this.#head === this.#batches.length || this.#head > 1024) {
      this.#batches.splice(0, this.#head);
      this.#head = 0;
    }
    return batch;
  }

  /** A batch taken by {@link shift} is done with. */
  release(batch: RecordBatch): void {
    this.bytes -= batch.sizeInBytes;
    this.records -= batch.count;
    this.drained += batch.count;
  }

  /** Drops everything fetched and goes on at `offset`. A batch that was taken before is not released any more. */
  seek(offset: number): void {
    this.#batches.length = 0;
    this.#head = 0;
    this.bytes = 0;
    this.records = 0;
    this.epoch++;
    this.position = offset;
  }
}

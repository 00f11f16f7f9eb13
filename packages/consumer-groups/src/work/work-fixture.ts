import { BatchBuffers, PartitionQueue, RecordBatch, RecordBatchWriter, RecordSource, Scheduler } from "@eos/client";
import { bytesSerde, type Logger, type OffsetRange, stringSerde, systemClock } from "@eos/core";
import { BusyMeter } from "../member/busy-meter.ts";
import { GroupMetrics } from "../member/group-metrics.ts";
import { CompletionTracker } from "../offsets/completion-tracker.ts";
import { Handling, type HandlingOptions } from "./handling.ts";
import type { PartitionWork, WorkOwner } from "./partition-work.ts";
import { Slots } from "./slots.ts";
import type { WorkKind } from "./work-kind.ts";

export interface FixtureBatch {
  readonly baseOffset: number;
  /** One record for each; `null`: without a key. The value is the offset. */
  readonly keys: readonly (string | null)[];
  /** Where the log goes on: offsets may be missing at a batch's end. @defaultValue behind the last record */
  readonly nextOffset?: number;
  /** @defaultValue 'in' */
  readonly topic?: string;
  readonly partition?: number;
}

const ignore = (): void => {};
export const SILENT: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

const NO_KEY = Buffer.alloc(0);
const HEAD_BYTES = 61;

/** For tests: a batch as it was fetched; without keys it is a transaction's marker. */
export function fetchedBatch({ baseOffset, keys, nextOffset, topic = "in", partition = 0 }: FixtureBatch): RecordBatch {
  const writer = new RecordBatchWriter(new BatchBuffers(), 0);
  for (const [index, key] of keys.entries()) {
    const bytes = key === null ? null : Buffer.from(key);
    const range = [bytes === null ? -1 : 0, bytes === null ? -1 : bytes.length] as const;
    writer.append(1_000, bytes ?? NO_KEY, ...range, String(baseOffset + index), null, 0, 0);
  }
  if (keys.length === 0) writer.append(1_000, NO_KEY, 0, 0, "", null, 0, 0);
  const seal = { producerId: -1, producerEpoch: 0, baseSequence: 0, transactional: false, codec: null };
  const buffer = Buffer.from(writer.seal(seal));
  const reading = {
    topic,
    partition,
    isolation: "read_committed",
    aborted: [],
    fetchOffset: 0,
    verifyCrc: false,
  } as const;
  const head = {
    start: 0,
    end: buffer.length,
    baseOffset,
    lastOffset: (nextOffset ?? baseOffset + Math.max(keys.length, 1)) - 1,
    attributes: 0,
    baseTimestamp: 1_000,
    maxTimestamp: 1_000,
    producerId: -1,
    count: keys.length,
  };
  return new RecordBatch(reading, head, buffer, keys.length === 0 ? "control" : "data");
}

/** For tests: a batch whose records are damaged from the given one on. */
export function damagedBatch(batch: FixtureBatch, damagedIndex: number): RecordBatch {
  const damaged = fetchedBatch(batch);
  let at = HEAD_BYTES;
  for (let index = 0; index < damagedIndex; index++) at += 1 + (damaged.buffer[at] as number) / 2;
  damaged.buffer[at] = 0x7e;
  return damaged;
}

/** For tests: what works need of their member, with the scheduler that members have. */
export class WorkBench<T> {
  readonly metrics = new GroupMetrics();
  readonly slots: Slots;
  readonly handling: Handling<T>;
  readonly owner: WorkOwner<T>;
  readonly scheduler = new Scheduler(() => true);
  readonly works: PartitionWork<T>[] = [];
  readonly stops: Error[] = [];
  readonly unreadable: unknown[] = [];
  progressed = 0;
  due = 0;
  idle = 0;
  readonly #kind: WorkKind<T>;

  constructor(
    kind: WorkKind<T>,
    options: Partial<HandlingOptions<T>> & { readonly concurrency?: number; readonly maxOutstanding?: number } = {},
  ) {
    const { concurrency = 16, maxOutstanding = 1_000, ...handling } = options;
    this.#kind = kind;
    this.slots = new Slots(concurrency);
    const meter = new BusyMeter(systemClock);
    this.handling = new Handling<T>({
      groupId: "g",
      handle: kind.handle,
      recordsOf: kind.recordsOf,
      slots: this.slots,
      logger: SILENT,
      observer: {},
      metrics: this.metrics,
      meter,
      deadLetter: undefined,
      onError: () => "stop",
      onResult: undefined,
      onStop: (error) => this.stops.push(error),
      onIdle: () => this.idle++,
      ...handling,
    });
    this.owner = {
      handling: this.handling,
      slots: this.slots,
      meter,
      metrics: this.metrics,
      maxOutstanding,
      progressed: () => this.progressed++,
      due: () => this.due++,
      wakeFetcher: () => {},
      resume: (work) => this.scheduler.resume(work),
      onUnreadable: (error) => this.unreadable.push(error),
    };
  }

  begin(partition = 0, position = 0, completed: readonly OffsetRange[] = []): PartitionWork<T> {
    const queue = new PartitionQueue("in", partition, position, null);
    const source = new RecordSource<unknown, unknown>("in", partition, bytesSerde, stringSerde);
    const work = this.#kind.create(queue, source, new CompletionTracker(position, completed), this.owner);
    this.works.push(work);
    this.scheduler.add(work);
    return work;
  }

  fetched(work: PartitionWork<T>, ...batches: readonly FixtureBatch[]): void {
    const { topic, partition } = work.queue;
    for (const batch of batches) work.queue.push(fetchedBatch({ ...batch, topic, partition }));
    this.scheduler.kick();
  }
}

/** For tests: lets everything that can happen by now happen. */
export async function quiet(turns = 6): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

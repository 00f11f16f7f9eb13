import type { FetchedRecord, PartitionQueue, RecordSource } from "@eos/client";
import type { BatchHandler, ConsumedBatch, RecordHandler } from "../handler.ts";
import type { RecordStream } from "../record-stream.ts";
import type { CompletionTracker } from "../offsets/completion-tracker.ts";
import { BatchWork, type DeliveredBatch } from "./batch-work.ts";
import type { Delivery, UnknownRecord } from "./delivery.ts";
import type { PartitionWork, WorkOwner } from "./partition-work.ts";
import { RecordWork, type RecordWorkOptions } from "./record-work.ts";

/** Whether a group hands out records or batches: all that depends on it. */
export interface WorkKind<T> {
  readonly handle: (subject: T, delivery: Delivery<T>) => unknown;
  readonly recordsOf: (subject: T) => readonly UnknownRecord[];
  readonly create: (
    queue: PartitionQueue,
    source: RecordSource<unknown, unknown>,
    tracker: CompletionTracker,
    owner: WorkOwner<T>,
  ) => PartitionWork<T>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- records or batches: no concern of who creates members
export type AnyWorkKind = WorkKind<any>;

export function recordByRecord<K, V>(
  handler: RecordHandler<K, V>,
  options: RecordWorkOptions,
): WorkKind<UnknownRecord> {
  return records((record, context) => handler(record as FetchedRecord<K, V>, context), options);
}

export function batchByBatch<K, V>(handler: BatchHandler<K, V>, maxBatchRecords: number): WorkKind<DeliveredBatch> {
  return {
    handle: (batch, context) => handler(batch as ConsumedBatch<K, V>, context),
    recordsOf: (batch) => batch.records,
    create: (queue, source, tracker, owner) => new BatchWork(queue, source, tracker, owner, maxBatchRecords),
  };
}

/** For a group without a handler: a record is completed when whoever takes it from the stream says so. */
export function streamed<K, V>(stream: RecordStream<K, V>, options: RecordWorkOptions): WorkKind<UnknownRecord> {
  return records((record, delivery) => stream.offer(record, delivery), options);
}

function records(handle: WorkKind<UnknownRecord>["handle"], options: RecordWorkOptions): WorkKind<UnknownRecord> {
  return {
    handle,
    recordsOf: (record) => [record],
    create: (queue, source, tracker, owner) => new RecordWork(queue, source, tracker, owner, options),
  };
}

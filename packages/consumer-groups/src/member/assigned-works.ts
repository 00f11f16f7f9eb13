import {
  type Client,
  type GroupConsumer,
  type GroupGeneration,
  isConsecutive,
  OffsetOutOfRangeError,
  type PartitionQueue,
  RecordSource,
  type Scheduler,
} from "@eos/client";
import { formatTopicPartition, type Logger, samePartition, type TopicPartition } from "@eos/core";
import { CompletionTracker } from "../offsets/completion-tracker.ts";
import type { ResolvedGroupOptions } from "../resolved-options.ts";
import type { PartitionWork, WorkOwner } from "../work/partition-work.ts";
import type { WorkKind } from "../work/work-kind.ts";
import type { StartPosition } from "./committed-offsets.ts";

export interface AssignedWorksOptions<T> {
  readonly admin: Pick<Client["admin"], "listOffsets">;
  readonly consumer: Pick<GroupConsumer, "fetch" | "fetchAgain" | "stopFetching">;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly group: ResolvedGroupOptions;
  readonly kind: WorkKind<T>;
  readonly workOwner: WorkOwner<T>;
  readonly isPaused: (partition: TopicPartition) => boolean;
  readonly onFatal: (error: unknown) => void;
}

/** The work on each partition that a member has: begun, kept over a rebalance, and dropped. */
export class AssignedWorks<T> {
  readonly #options: AssignedWorksOptions<T>;
  readonly #works = new Map<string, PartitionWork<T>>();
  #generation: GroupGeneration | null = null;

  constructor(options: AssignedWorksOptions<T>) {
    this.#options = options;
  }

  get all(): Iterable<PartitionWork<T>> {
    return this.#works.values();
  }

  /** The last one, also while the member joins again; `null` when it was lost. */
  get generation(): GroupGeneration | null {
    return this.#generation;
  }

  get(partition: TopicPartition): PartitionWork<T> | undefined {
    return this.#works.get(formatTopicPartition(partition));
  }

  /**
   * Keeps what the new generation gives back, as it is, in hand and in the queue: nobody else can have had it in between.
   * @returns the partitions to begin with
   */
  renew(partitions: readonly TopicPartition[], generation: GroupGeneration): TopicPartition[] {
    const mayKeep = isConsecutive(this.#generation, generation);
    this.#generation = generation;
    for (const work of this.#works.values()) {
      const isKept =
        mayKeep && !work.queue.closed && partitions.some((partition) => samePartition(partition, work.queue));
      if (isKept) work.queue.generation = generation;
      else this.#drop(work, new Error("the partition went to another member"));
    }
    return partitions.filter((partition) => this.get(partition) === undefined);
  }

  begin({ topic, partition, offset, completed, owesCommit }: StartPosition, generation: GroupGeneration): void {
    const { consumer, group, kind, isPaused, workOwner, scheduler } = this.#options;
    const queue = consumer.fetch({ topic, partition }, offset, generation);
    queue.paused = isPaused(queue);
    const source = new RecordSource(topic, partition, group.key, group.value);
    const work = kind.create(queue, source, new CompletionTracker(offset, completed), workOwner);
    this.#works.set(formatTopicPartition(queue), work);
    if (owesCommit) work.owesCommit();
    scheduler.add(work);
  }

  lose(reason: Error): void {
    this.#generation = null;
    for (const work of this.#works.values()) this.#drop(work, reason);
  }

  async fetchFailed(queue: PartitionQueue, error: Error): Promise<void> {
    const { group, admin, consumer, logger, onFatal } = this.#options;
    const { onOffsetOutOfRange, groupId } = group;
    const work = this.get(queue);
    if (work?.queue !== queue) return;
    if (!(error instanceof OffsetOutOfRangeError) || onOffsetOutOfRange === "stop") {
      onFatal(error);
      return;
    }
    try {
      const { epoch } = queue;
      const [reset] = await admin.listOffsets([queue], onOffsetOutOfRange);
      const { topic, partition, position } = queue;
      if (reset === undefined || work.isDropped) return;
      // A seek that came meanwhile counts.
      const offset = queue.epoch === epoch ? reset.offset : position;
      const fields = { groupId, topic, partition, from: position, to: offset };
      logger.warn(fields, "the offset is out of range: going on where onOffsetOutOfRange says");
      consumer.fetchAgain(queue, offset);
      // What was fetched before is handled all the same, unless the log goes back behind it.
      if (offset < position) work.seek(offset, error);
      else work.jumpTo(offset);
      work.owesCommit();
    } catch (again) {
      onFatal(again);
    }
  }

  #drop(work: PartitionWork<T>, reason: Error): void {
    const { consumer, scheduler } = this.#options;
    work.drop(reason);
    consumer.stopFetching(work.queue);
    scheduler.delete(work);
    this.#works.delete(formatTopicPartition(work.queue));
  }
}

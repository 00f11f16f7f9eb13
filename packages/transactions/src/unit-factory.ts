import type { BatchProducer, Client, GroupConsumer, ProducerFencedError } from "@eos/client";
import type { Clock, Logger, Observer, TopicPartition, TransactionParticipant } from "@eos/core";
import { CommitUnit } from "./commit-unit.ts";
import type { InputOffsets } from "./input-offsets.ts";
import type { ResolvedOutput } from "./options.ts";
import { OutputWriter } from "./output-writer.ts";
import { ParticipantGroup } from "./participant-group.ts";
import type { ProcessorMetrics } from "./processor-metrics.ts";
import { processTransactionalId, taskTransactionalId } from "./transactional-id.ts";

export interface UnitFactoryOptions<KO, VO> {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly metrics: ProcessorMetrics;
  readonly applicationId: string;
  readonly processId: string;
  readonly outputs: readonly ResolvedOutput<KO, VO>[];
  readonly stores: readonly TransactionParticipant<unknown, Client>[];
  readonly guarantee: "exactly_once_v2" | "at_least_once";
  readonly producerScope: "process" | "task";
  readonly commitIntervalMs: number;
  readonly transactionTimeoutMs: number;
  readonly maxBatchBytes: number | undefined;
  readonly compression: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  readonly consumer: () => GroupConsumer;
  readonly onFenced: (error: ProducerFencedError) => void;
  readonly onFatal: (error: unknown) => void;
}

/** A commit unit and what its tasks write with. */
export interface Unit<KO, VO> {
  readonly unit: CommitUnit;
  readonly outputs: OutputWriter<KO, VO>;
}

/** Makes commit units, and the groups of participants in them. */
export class UnitFactory<KO, VO> {
  readonly #options: UnitFactoryOptions<KO, VO>;
  readonly #offsets: InputOffsets;

  constructor(options: UnitFactoryOptions<KO, VO>, offsets: InputOffsets) {
    this.#options = options;
    this.#offsets = offsets;
  }

  /** Whether each input partition has a unit of its own; the process has one otherwise. */
  get isPerTask(): boolean {
    return this.#options.producerScope === "task" && this.#options.guarantee === "exactly_once_v2";
  }

  /**
   * @param partition - what names the producer of a unit per task
   * @param onCreated - told of the unit before it is complete, so that it is closed whatever comes
   * @param onRunnable - its tasks may be run (again)
   */
  async create(
    partition: TopicPartition,
    onCreated: (unit: CommitUnit) => void,
    onRunnable: () => void,
  ): Promise<Unit<KO, VO>> {
    const { client, applicationId, processId, producerScope, guarantee, consumer } = this.#options;
    const transactionalId =
      producerScope === "process"
        ? processTransactionalId(applicationId, processId)
        : taskTransactionalId(applicationId, partition);
    const producer: BatchProducer = await client.producer({
      transactionalId: guarantee === "at_least_once" ? null : transactionalId,
      transactionTimeoutMs: this.#options.transactionTimeoutMs,
      maxBatchBytes: this.#options.maxBatchBytes,
      compression: this.#options.compression,
    });
    const unit = new CommitUnit({
      ...this.#options,
      producer,
      stableOffsets: (tasks, signal) =>
        this.#offsets.committed(
          tasks.map((task) => task.queue),
          signal,
        ),
      confirmMembership: () => consumer().confirmMembership(),
      requestRejoin: () => consumer().requestRejoin(),
      onRunnable,
    });
    onCreated(unit);
    return { unit, outputs: await OutputWriter.create(producer, this.#options.outputs) };
  }

  /** The group of a partition number in a unit. */
  groupOf(unit: CommitUnit, partition: number): ParticipantGroup {
    let group = unit.groups.get(partition);
    if (group === undefined) {
      const { stores, clock, logger } = this.#options;
      group = new ParticipantGroup({
        participants: stores,
        partition,
        producer: unit.producer,
        clock,
        logger,
        onFailure: (failure) => unit.stateFailed(failure),
      });
      unit.groups.set(partition, group);
    }
    return group;
  }
}

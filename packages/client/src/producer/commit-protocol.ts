import type { GroupOffsets } from "./group-offsets.ts";
import type { OutputPartition } from "./output-partition.ts";

/** What has left since the last commit: nothing, batches of which none is acknowledged yet, or some that are. */
export type SentSoFar = "nothing" | "unacknowledged" | "acknowledged";

/**
 * What makes appended records and offsets final: a transaction ({@link TransactionProtocol}), or the order "outputs
 * first, then offsets" ({@link AtLeastOnceProtocol}).
 */
export interface CommitProtocol {
  /** `null`: the producer is idempotent, not transactional. */
  readonly transactionalId: string | null;
  readonly produceVersion: 9 | 12;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Obtains a producer id and epoch that nobody else has. */
  initProducerId(): Promise<void>;
  /** Runs before partitions are first produced to. */
  addPartitions(partitions: readonly OutputPartition[]): Promise<void>;
  /**
   * @param drained resolves when every batch is acknowledged
   * @param sent what had left before the commit was asked for, or leaves with it
   * @param gaveUp ends endless waiting for an answer, once the producer is closed
   */
  commit(
    drained: Promise<void>,
    groups: readonly GroupOffsets[],
    sent: SentSoFar,
    gaveUp: () => boolean,
  ): Promise<void>;
  /** Makes sure that nothing sent since the last commit becomes visible (as far as the guarantee goes), under a new epoch. */
  abort(gaveUp: () => boolean): Promise<void>;
}

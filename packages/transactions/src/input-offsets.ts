import { type Client, type GroupGeneration, startPositions } from "@eos/client";
import type { Clock, Logger, TopicPartition } from "@eos/core";
import {
  claimPartitions,
  fenceTheDead,
  type StableOffset,
  stableOffsets,
  type StableOffsetsOptions,
} from "./stable-offsets.ts";
import { processTransactionalId } from "./transactional-id.ts";

export interface InputOffsetsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly applicationId: string;
  readonly processId: string;
  readonly guarantee: "exactly_once_v2" | "at_least_once";
  readonly producerScope: "process" | "task";
  readonly transactionTimeoutMs: number;
  readonly autoOffsetReset: "earliest" | "latest" | "none";
}

/** Where the inputs' partitions are to be processed from. */
export class InputOffsets {
  readonly #options: InputOffsetsOptions;

  constructor(options: InputOffsetsOptions) {
    this.#options = options;
  }

  /**
   * Where newly assigned partitions begin, once their predecessors' transactions have ended; claims them.
   *
   * @param processIds - the processes in this generation; `null` when they are not known
   */
  async takeUp(
    partitions: readonly TopicPartition[],
    generation: GroupGeneration,
    signal: AbortSignal,
    processIds: ReadonlySet<string> | null,
  ): Promise<number[]> {
    if (partitions.length === 0) return [];
    const { applicationId, client } = this.#options;
    const own = this.#ownTransactionalId();
    if (own !== null && processIds !== null) {
      const living = new Set([...processIds].map((processId) => processTransactionalId(applicationId, processId)));
      await fenceTheDead(partitions, living, this.#stableOffsetsOptions(signal));
    }
    const committed = await stableOffsets(partitions, this.#stableOffsetsOptions(signal));
    const offsets = await this.#startOffsets(committed);
    if (own !== null) {
      const unclaimed = offsets.filter((_, index) => committed[index]?.transactionalId !== own);
      await claimPartitions(unclaimed, generation, own, client);
    }
    return offsets.map(({ offset }) => offset);
  }

  /** Where partitions that are held go on, once no transaction holds their offsets. */
  async committed(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<number[]> {
    const committed = await stableOffsets(partitions, this.#stableOffsetsOptions(signal));
    return (await this.#startOffsets(committed)).map(({ offset }) => offset);
  }

  #startOffsets(committed: readonly StableOffset[]): Promise<(TopicPartition & { readonly offset: number })[]> {
    const { client, applicationId, autoOffsetReset } = this.#options;
    return startPositions(client.admin, applicationId, committed, autoOffsetReset);
  }

  #stableOffsetsOptions(signal: AbortSignal): StableOffsetsOptions {
    return {
      ...this.#options,
      admin: this.#options.client.admin,
      ownTransactionalId: this.#ownTransactionalId(),
      signal,
    };
  }

  /** `null` where nobody needs to find this process by its id. */
  #ownTransactionalId(): string | null {
    const { guarantee, producerScope, applicationId, processId } = this.#options;
    if (guarantee === "at_least_once" || producerScope === "task") return null;
    return processTransactionalId(applicationId, processId);
  }
}

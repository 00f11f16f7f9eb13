import type { Clock } from "@eos/core";
import { brokerError } from "../errors/errors.ts";
import { kafkaErrorClass } from "../errors/kafka-errors.ts";
import { commitOffsets } from "../group/commit-offsets.ts";
import type { Cluster } from "../network/cluster.ts";
import { initProducerId } from "../protocol/init-producer-id.ts";
import type { CommitProtocol } from "./commit-protocol.ts";
import type { GroupOffsets } from "./group-offsets.ts";

const RETRY_MS = 50;
const RETRY_FOR_MS = 30_000;

/**
 * An idempotent producer without transactions: outputs are acknowledged first, then the offsets are committed with
 * their generation. A crash in between repeats the outputs; nothing is lost.
 */
export class AtLeastOnceProtocol implements CommitProtocol {
  readonly transactionalId = null;
  readonly produceVersion = 9;
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  producerId = -1n;
  producerEpoch = -1;

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  async initProducerId(): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + RETRY_FOR_MS;
    for (;;) {
      const response = await this.#cluster.sendToAny(
        initProducerId({ transactionalId: null, transactionTimeoutMs: 60_000 }),
      );
      if (response.errorCode === 0) {
        this.producerId = response.producerId;
        this.producerEpoch = response.producerEpoch;
        return;
      }
      const kind = kafkaErrorClass(response.errorCode);
      const passing = kind === "retry-in-place" || kind === "refind-coordinator";
      if (!passing || this.#clock.monotonicMs() > deadlineMs) {
        throw brokerError({ api: "InitProducerId", kafkaCode: response.errorCode });
      }
      await this.#clock.sleep(RETRY_MS);
    }
  }

  async addPartitions(): Promise<void> {}

  async commit(drained: Promise<void>, groups: readonly GroupOffsets[]): Promise<void> {
    await drained;
    for (const group of groups) await commitOffsets(this.#cluster, this.#clock, group);
  }

  /** A fresh producer id: batches given up in the middle leave a gap in the old one's sequence. */
  async abort(): Promise<void> {
    await this.initProducerId();
  }
}

import { type Clock, EosError, type Logger } from "@eos/core";
import { brokerError } from "../errors/errors.ts";
import { kafkaErrorClass } from "../errors/kafka-errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { addOffsetsToTxn } from "../protocol/add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "../protocol/add-partitions-to-txn.ts";
import { endTxn } from "../protocol/end-txn.ts";
import { initProducerId } from "../protocol/init-producer-id.ts";
import type { KafkaRequest, KafkaResponse } from "../protocol/request.ts";
import { txnOffsetCommit } from "../protocol/txn-offset-commit.ts";
import type { CommitProtocol, SentSoFar } from "./commit-protocol.ts";
import type { GroupOffsets } from "./group-offsets.ts";
import type { OutputPartition } from "./output-partition.ts";

/** How long to wait before the same request is sent again, by what the answer was. */
const CONCURRENT_TRANSACTIONS_MS = 2;
const COORDINATOR_MOVED_MS = 50;
const DISCONNECTED_MS = 100;

/**
 * EndTxn answers before its markers are written, and until they are, the next transaction cannot begin. With transaction
 * version 2 the broker itself then waits 20 ms before it tries again (`add.partitions.to.txn.retry.backoff.ms`): to
 * begin a little later is to begin earlier.
 */
const MARKERS_MS = 3;

const INVALID_TXN_STATE = 48;
const OPERATION_NOT_ATTEMPTED = 55;

export interface TransactionProtocolOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  readonly transactionVersion: 1 | 2;
}

/**
 * The requests to the transaction coordinator and their retry rules, for one transactional id.
 *
 * Before transaction version 2 partitions and groups are announced (AddPartitionsToTxn, AddOffsetsToTxn); from
 * version 2 on (KIP-890) the first Produce or TxnOffsetCommit announces itself, and every EndTxn answers a new epoch.
 */
export class TransactionProtocol implements CommitProtocol {
  readonly #options: TransactionProtocolOptions;
  #announcedPartitions = new Set<OutputPartition>();
  #announcedGroups = new Set<string>();
  /** AddPartitionsToTxn requests are queued one behind the other: a partition is announced once. */
  #announcing: Promise<void> = Promise.resolve();
  readonly transactionalId: string;
  readonly produceVersion: 9 | 12;
  #endedAtMs = -Infinity;
  producerId = -1n;
  producerEpoch = -1;

  constructor(options: TransactionProtocolOptions) {
    this.#options = options;
    this.transactionalId = options.transactionalId;
    this.produceVersion = options.transactionVersion === 2 ? 12 : 9;
  }

  async commit(
    drained: Promise<void>,
    groups: readonly GroupOffsets[],
    sent: SentSoFar,
    gaveUp: () => boolean,
  ): Promise<void> {
    // Both must be acknowledged before EndTxn; their order does not matter to the transaction. It matters to its first
    // two requests: each would enrol itself with the coordinator, which takes one at a time and has the broker try the
    // other again after 20 ms (`add.partitions.to.txn.retry.backoff.ms`). Both are awaited even when one fails, so that
    // no request of a failed transaction is still on its way when its abort begins.
    const first = sent === "unacknowledged" ? drained : undefined;
    const results = await Promise.allSettled([drained, Promise.resolve(first).then(() => this.#sendOffsets(groups))]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    if (sent !== "nothing" || groups.length > 0) await this.#endTransaction("commit", gaveUp);
  }

  async abort(gaveUp: () => boolean): Promise<void> {
    const { producerId, producerEpoch } = this;
    await this.#endTransaction("abort", gaveUp);
    // Where EndTxn keeps the epoch (version 1, or nothing to end), it keeps sequences that the broker may have seen (D6).
    if (this.producerId === producerId && this.producerEpoch === producerEpoch) await this.#renewEpoch(gaveUp);
  }

  async initProducerId(): Promise<void> {
    await this.#takeEpoch({});
  }

  /**
   * A fresh epoch for the holder of the current one. It names that one, so that it never takes the id from a successor,
   * and may be repeated (KIP-360).
   */
  async #renewEpoch(gaveUp: () => boolean): Promise<void> {
    const { clock, transactionalId } = this.#options;
    const { producerId, producerEpoch } = this;
    const deadlineMs = clock.monotonicMs() + this.#initTimeoutMs;
    for (;;) {
      try {
        return await this.#takeEpoch({ producerId, producerEpoch });
      } catch (error) {
        if (!isRetriable(error) || gaveUp() || clock.monotonicMs() > deadlineMs) throw error;
        this.#options.cluster.forgetCoordinator("transaction", transactionalId);
        await clock.sleep(DISCONNECTED_MS);
      }
    }
  }

  async #takeEpoch(current: { readonly producerId?: bigint; readonly producerEpoch?: number }): Promise<void> {
    const { transactionalId, transactionTimeoutMs } = this.#options;
    const response = await this.#toCoordinator(
      initProducerId({ transactionalId, transactionTimeoutMs, ...current }),
      "InitProducerId",
      this.#initTimeoutMs,
    );
    this.producerId = response.producerId;
    this.producerEpoch = response.producerEpoch;
    this.#forgetAnnouncements();
  }

  /** The predecessor's transaction is being ended meanwhile: that takes as long as its markers take. */
  get #initTimeoutMs(): number {
    return Math.max(this.#options.transactionTimeoutMs, 30_000);
  }

  /** Transaction version 1 only: announces partitions before the first Produce to them. */
  async addPartitions(partitions: readonly OutputPartition[]): Promise<void> {
    if (this.#options.transactionVersion === 2) {
      await this.#markersWritten();
      return;
    }
    const before = this.#announcing;
    const announce = async (): Promise<void> => {
      await before.catch(() => undefined);
      const fresh = partitions.filter((partition) => !this.#announcedPartitions.has(partition));
      if (fresh.length === 0) return;
      const topics = new Map<string, number[]>();
      for (const { topic, partition } of fresh) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
      const announced = this.#announcedPartitions;
      await this.#toCoordinator(
        addPartitionsToTxn({
          transactionalId: this.#options.transactionalId,
          producerId: this.producerId,
          producerEpoch: this.producerEpoch,
          topics: [...topics].map(([topic, ids]) => ({ topic, partitions: ids })),
        }),
        "AddPartitionsToTxn",
        this.#options.transactionTimeoutMs,
      );
      for (const partition of fresh) announced.add(partition);
    };
    this.#announcing = announce();
    await this.#announcing;
  }

  /** Puts the offsets into the open transaction, with the generation their records were fetched in (KIP-447). */
  async #sendOffsets(groups: readonly GroupOffsets[]): Promise<void> {
    const { cluster, clock, transactionalId, transactionTimeoutMs, transactionVersion } = this.#options;
    if (transactionVersion === 2 && groups.length > 0) await this.#markersWritten();
    for (const { generation, offsets } of groups) {
      const { groupId, generationId, memberId, groupInstanceId } = generation;
      if (transactionVersion === 1 && !this.#announcedGroups.has(groupId)) {
        await this.#toCoordinator(
          addOffsetsToTxn({
            transactionalId,
            producerId: this.producerId,
            producerEpoch: this.producerEpoch,
            groupId,
          }),
          "AddOffsetsToTxn",
          transactionTimeoutMs,
        );
        this.#announcedGroups.add(groupId);
      }
      const request = txnOffsetCommit({
        version: transactionVersion === 2 ? 5 : 3,
        transactionalId,
        groupId,
        producerId: this.producerId,
        producerEpoch: this.producerEpoch,
        generationId,
        memberId,
        groupInstanceId,
        topics: offsets.toTopics(),
      });
      const deadlineMs = clock.monotonicMs() + transactionTimeoutMs;
      for (;;) {
        const response = await cluster.send(await cluster.coordinator("group", groupId), request);
        const code = firstError(response);
        if (code === 0) break;
        const waitMs = this.#retryAfterMs(code, "group", groupId);
        if (waitMs === null || clock.monotonicMs() > deadlineMs) {
          throw brokerError({ api: "TxnOffsetCommit", kafkaCode: code, groupId, transactionalId });
        }
        await clock.sleep(waitMs);
      }
    }
  }

  /**
   * EndTxn. Without an answer the outcome is unknown, so the same request is sent until there is one: repeated with the
   * same id and epoch it is idempotent, and the opposite result would be a guess. Nor is it decided while no coordinator
   * can be found.
   * @param gaveUp ends the loop when the producer is closed meanwhile
   */
  async #endTransaction(result: "commit" | "abort", gaveUp: () => boolean): Promise<void> {
    const { cluster, clock, logger, transactionalId, transactionVersion } = this.#options;
    const request = endTxn({
      version: transactionVersion === 2 ? 5 : 3,
      transactionalId,
      producerId: this.producerId,
      producerEpoch: this.producerEpoch,
      result,
    });
    let unanswered = 0;
    for (;;) {
      let code: number;
      try {
        const response = await cluster.send(await cluster.coordinator("transaction", transactionalId), request);
        code = response.errorCode;
        if (code === 0) {
          if (transactionVersion === 2) {
            this.producerId = response.producerId;
            this.producerEpoch = response.producerEpoch;
          }
          this.#forgetAnnouncements();
          this.#endedAtMs = clock.monotonicMs();
          return;
        }
      } catch (error) {
        if (!isRetriable(error) || gaveUp()) throw error;
        if (unanswered++ === 0) {
          logger.warn({ transactionalId, result }, "EndTxn was not answered: its outcome is unknown, sending it again");
        }
        cluster.forgetCoordinator("transaction", transactionalId);
        await clock.sleep(DISCONNECTED_MS);
        continue;
      }
      // An abort of a transaction that the broker has already ended (its timeout ran out) has nothing left to end.
      if (result === "abort" && code === INVALID_TXN_STATE) {
        this.#forgetAnnouncements();
        return;
      }
      const waitMs = this.#retryAfterMs(code, "transaction", transactionalId);
      if (waitMs === null || gaveUp()) throw brokerError({ api: "EndTxn", kafkaCode: code, transactionalId });
      await clock.sleep(waitMs);
    }
  }

  async #toCoordinator<R extends CoordinatorResponse>(
    request: KafkaRequest<R>,
    api: string,
    timeoutMs: number,
  ): Promise<R> {
    const { cluster, clock, transactionalId } = this.#options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const response = await cluster.send(await cluster.coordinator("transaction", transactionalId), request);
      const code = firstError(response);
      if (code === 0) return response;
      const waitMs = this.#retryAfterMs(code, "transaction", transactionalId);
      if (waitMs === null || clock.monotonicMs() > deadlineMs) {
        throw brokerError({ api, kafkaCode: code, transactionalId });
      }
      await clock.sleep(waitMs);
    }
  }

  /** Milliseconds until the same request may be sent again; `null`: the answer is final. */
  #retryAfterMs(code: number, kind: "group" | "transaction", key: string): number | null {
    switch (kafkaErrorClass(code)) {
      case "retry-in-place":
        return CONCURRENT_TRANSACTIONS_MS;
      case "refind-coordinator":
        this.#options.cluster.forgetCoordinator(kind, key);
        return COORDINATOR_MOVED_MS;
      default:
        return null;
    }
  }

  async #markersWritten(): Promise<void> {
    const { clock } = this.#options;
    const leftMs = this.#endedAtMs + MARKERS_MS - clock.monotonicMs();
    if (leftMs > 0) await clock.sleep(Math.ceil(leftMs));
  }

  #forgetAnnouncements(): void {
    this.#announcedPartitions = new Set();
    this.#announcedGroups = new Set();
    this.#announcing = Promise.resolve();
  }
}

type CoordinatorResponse = KafkaResponse &
  (
    | { readonly errorCode: number }
    | { readonly topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[] }
  );

function firstError(response: CoordinatorResponse): number {
  if ("errorCode" in response) return response.errorCode;
  const codes = response.topics.flatMap((topic) => topic.partitions).map((partition) => partition.errorCode);
  // One refused partition keeps the others from being attempted: the refusal is the error.
  const refused = codes.find((code) => code !== 0 && code !== OPERATION_NOT_ATTEMPTED);
  return refused ?? codes.find((code) => code !== 0) ?? 0;
}

/** A lost connection, or a coordinator that cannot be found at present. */
function isRetriable(error: unknown): boolean {
  return EosError.is(error) && error.severity === "retriable";
}

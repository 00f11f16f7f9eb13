import { ConnectionError } from "../errors/errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { ByteReader } from "../protocol/byte-reader.ts";
import { readProducerId } from "../protocol/producer-id.ts";
import type { KafkaRequest } from "../protocol/request.ts";
import { RecordCursor } from "../records/record-cursor.ts";
import { readRecordBatches } from "../records/record-batch-reader.ts";
import {
  announcedPartitions,
  committedOffset,
  type ProducedBatch,
  producedBatches,
  transactionIds,
} from "./request-fixture.ts";

/**
 * What happens to one request: `pass`; `lost-request` (the connection ends before the broker has it); `lost-answer` (it
 * ends after the broker has acted); an error code instead of acting; or `[code]` after acting, as
 * NOT_ENOUGH_REPLICAS_AFTER_APPEND.
 */
export type Fate = "pass" | "lost-request" | "lost-answer" | number | readonly [number];

export const TOPIC = "out";
export const INPUT = "in";
export const GROUP = "group";

const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
const INVALID_PRODUCER_EPOCH = 47;
const INVALID_TXN_STATE = 48;
const PRODUCER_FENCED = 90;
const ILLEGAL_GENERATION = 22;

interface LogEntry {
  readonly value: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  outcome: "open" | "committed" | "aborted";
}

interface PartitionLog {
  readonly entries: LogEntry[];
  /** Last batch by producer id, to tell a repeated one from a new one. */
  readonly last: Map<bigint, LastBatch>;
}

interface LastBatch {
  readonly epoch: number;
  readonly baseSequence: number;
  readonly nextSequence: number;
  readonly baseOffset: number;
}

/**
 * For tests: a broker with one topic, one group and one transactional id, as far as producers see it, in both versions of the transaction
 * protocol. Refuses what a real one refuses: stale epochs, gaps in a sequence, partitions that were not announced, stale generations.
 */
export class BrokerFixture {
  readonly requests: string[] = [];
  /** Asked for every request; absent: everything passes. */
  fate: (api: string) => Fate = () => "pass";
  generationId = 1;
  /** Offset of the group; the metadata is not kept. */
  committedOffset = 0;
  readonly #partitionCount: number;
  readonly #logs: PartitionLog[];
  #producerId = 7n;
  #epoch = -1;
  #lastEnd: { readonly epoch: number; readonly commit: boolean } | null = null;
  #state: "empty" | "ongoing" | "ended" = "empty";
  readonly #announced = new Set<number>();
  #pendingOffset: number | null = null;
  readonly #inFlight = new Map<number, number>();
  /** Highest number of Produce requests for one partition that were under way at the same time. */
  mostInFlight = 0;

  constructor(partitionCount: number) {
    this.#partitionCount = partitionCount;
    this.#logs = Array.from({ length: partitionCount }, () => ({ entries: [], last: new Map() }));
  }

  /** The fixture as a producer's cluster; partitions with an odd number are led by another node. */
  get cluster(): Cluster {
    const partitions = Array.from({ length: this.#partitionCount }, (_, partition) => ({
      partition,
      leader: partition % 2,
    }));
    const cluster = {
      cachedTopic: () => ({ name: TOPIC, partitions }),
      topic: () => Promise.resolve({ name: TOPIC, partitions }),
      refreshMetadata: () => Promise.resolve(),
      coordinator: () => Promise.resolve(0),
      forgetCoordinator: () => undefined,
      send: (_node: number, request: KafkaRequest) => this.#receive(request),
      sendToAny: (request: KafkaRequest) => this.#receive(request),
    };
    return cluster as unknown as Cluster;
  }

  /** Read-committed values of a partition. */
  committed(partition: number): string[] {
    const { entries } = this.#logs[partition] as PartitionLog;
    const open = entries.findIndex(({ outcome }) => outcome === "open");
    const stable = open < 0 ? entries : entries.slice(0, open);
    return stable.filter(({ outcome }) => outcome === "committed").map(({ value }) => value);
  }

  get hasOpenTransaction(): boolean {
    return this.#state === "ongoing";
  }

  /** What the coordinator does when a transaction has been open for too long. */
  timeOut(): void {
    if (this.#state === "ongoing") this.#initProducerId();
  }

  async #receive(request: KafkaRequest): Promise<unknown> {
    const { apiName } = request;
    this.requests.push(apiName);
    const partitions = apiName === "Produce" ? producedBatches(request).map(({ partition }) => partition) : [];
    for (const partition of partitions) {
      const count = (this.#inFlight.get(partition) ?? 0) + 1;
      this.#inFlight.set(partition, count);
      this.mostInFlight = Math.max(this.mostInFlight, count);
    }
    const fate = this.fate(apiName);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      if (fate === "lost-request") throw new ConnectionError("lost");
      if (typeof fate === "number") return this.#answer(request, fate);
      const answer = this.#act(request);
      await new Promise((resolve) => setImmediate(resolve));
      if (fate === "lost-answer") throw new ConnectionError("lost");
      return typeof fate === "object" ? this.#answer(request, fate[0]) : answer;
    } finally {
      for (const partition of partitions) this.#inFlight.set(partition, (this.#inFlight.get(partition) as number) - 1);
    }
  }

  #answer(request: KafkaRequest, errorCode: number, newEpoch = false): unknown {
    const partitions = (ids: readonly number[], topic: string) => ({
      topics: [
        { topic, partitions: ids.map((partition) => ({ partition, errorCode, errorMessage: null, baseOffset: -1 })) },
      ],
    });
    switch (request.apiName) {
      case "Produce":
        return partitions(
          producedBatches(request).map(({ partition }) => partition),
          TOPIC,
        );
      case "AddPartitionsToTxn":
        return partitions(announcedPartitions(request), TOPIC);
      case "TxnOffsetCommit":
      case "OffsetCommit":
        return partitions([0], INPUT);
      default:
        return {
          errorCode,
          producerId: errorCode === 0 || newEpoch ? this.#producerId : -1n,
          producerEpoch: errorCode === 0 || newEpoch ? this.#epoch : -1,
        };
    }
  }

  #act(request: KafkaRequest): unknown {
    switch (request.apiName) {
      case "InitProducerId":
        return this.#answer(request, this.#init(request));
      case "AddPartitionsToTxn":
        return this.#answer(request, this.#addPartitions(request));
      case "AddOffsetsToTxn":
        return this.#answer(request, this.#begin(transactionIds(request)));
      case "Produce":
        return {
          topics: [{ topic: TOPIC, partitions: producedBatches(request).map((batch) => this.#append(request, batch)) }],
        };
      case "TxnOffsetCommit":
        return this.#answer(request, this.#txnOffsetCommit(request));
      case "OffsetCommit":
        this.committedOffset = committedOffset(request);
        return this.#answer(request, 0);
      case "EndTxn":
        return this.#answer(request, this.#endTxn(request));
      default:
        throw new Error(`the fixture does not know ${request.apiName}`);
    }
  }

  #init(request: KafkaRequest): number {
    const reader = new ByteReader(request.body[0] as Buffer);
    const transactionalId = reader.compactNullableString();
    reader.int32();
    const producerId = readProducerId(reader);
    const epoch = reader.int16();
    if (transactionalId === null) {
      this.#producerId++;
      this.#epoch = 0;
      return 0;
    }
    // KIP-360: only the holder of the current epoch, or of the one before when its answer was lost.
    if (producerId !== -1n && epoch !== this.#epoch && epoch !== this.#epoch - 1) return PRODUCER_FENCED;
    this.#initProducerId();
    return 0;
  }

  #initProducerId(): void {
    this.#end(false);
    this.#state = "empty";
    this.#epoch++;
    this.#lastEnd = null;
  }

  #begin({ epoch }: { readonly epoch: number }): number {
    if (epoch !== this.#epoch) return epoch < this.#epoch ? INVALID_PRODUCER_EPOCH : INVALID_TXN_STATE;
    this.#state = "ongoing";
    return 0;
  }

  #addPartitions(request: KafkaRequest): number {
    const code = this.#begin(transactionIds(request));
    if (code === 0) for (const partition of announcedPartitions(request)) this.#announced.add(partition);
    return code;
  }

  #append(
    request: KafkaRequest,
    { partition, batch }: ProducedBatch,
  ): { partition: number; errorCode: number; errorMessage: null; baseOffset: number } {
    const errorCode = this.#appendCode(request, partition, batch);
    const last = this.#logs[partition]?.last.get(batch.readBigInt64BE(43));
    return { partition, errorCode, errorMessage: null, baseOffset: errorCode === 0 ? (last?.baseOffset ?? -1) : -1 };
  }

  #appendCode(request: KafkaRequest, partition: number, bytes: Buffer): number {
    const [batch] = readRecordBatches(bytes, 0, bytes.length, {
      topic: TOPIC,
      partition,
      isolation: "read_uncommitted",
      aborted: [],
      fetchOffset: 0,
      verifyCrc: true,
    });
    if (batch === undefined) throw new Error("no batch");
    const producerId = bytes.readBigInt64BE(43);
    const epoch = bytes.readInt16BE(51);
    const baseSequence = bytes.readInt32BE(53);
    const transactional = (bytes.readInt16BE(21) & 0x10) !== 0;
    const log = this.#logs[partition] as PartitionLog;
    if (transactional) {
      if (producerId !== this.#producerId || epoch !== this.#epoch) return INVALID_PRODUCER_EPOCH;
      if (request.apiVersion >= 12) this.#begin({ epoch });
      else if (this.#state !== "ongoing" || !this.#announced.has(partition)) return INVALID_TXN_STATE;
    }
    const last = log.last.get(producerId);
    const expected = last !== undefined && last.epoch === epoch ? last.nextSequence : 0;
    if (last !== undefined && last.epoch === epoch && baseSequence === last.baseSequence) return 0;
    if (baseSequence !== expected) return OUT_OF_ORDER_SEQUENCE_NUMBER;
    const baseOffset = log.entries.length;
    const cursor = new RecordCursor();
    cursor.open(batch);
    while (cursor.next()) {
      log.entries.push({
        value: cursor.buffer.toString("utf8", cursor.valueStart, cursor.valueEnd),
        producerId,
        producerEpoch: epoch,
        outcome: transactional ? "open" : "committed",
      });
    }
    log.last.set(producerId, { epoch, baseSequence, nextSequence: baseSequence + batch.count, baseOffset });
    return 0;
  }

  #txnOffsetCommit(request: KafkaRequest): number {
    const reader = new ByteReader(request.body[0] as Buffer);
    reader.compactString();
    reader.compactString();
    readProducerId(reader);
    const epoch = reader.int16();
    if (epoch !== this.#epoch) return INVALID_PRODUCER_EPOCH;
    if (reader.int32() !== this.generationId) return ILLEGAL_GENERATION;
    if (request.apiVersion >= 5) this.#begin({ epoch });
    else if (this.#state !== "ongoing") return INVALID_TXN_STATE;
    this.#pendingOffset = committedOffset(request);
    return 0;
  }

  #endTxn(request: KafkaRequest): number {
    const { epoch, reader } = transactionIds(request);
    const commit = reader.boolean();
    const hasNewEpochs = request.apiVersion >= 5;
    const repeated = hasNewEpochs ? epoch === this.#epoch - 1 : epoch === this.#epoch && this.#state === "ended";
    if (repeated && this.#lastEnd?.epoch === epoch) return this.#lastEnd.commit === commit ? 0 : INVALID_TXN_STATE;
    if (epoch !== this.#epoch) return PRODUCER_FENCED;
    // From version 2 on a client cannot always know whether the broker has begun its transaction: it may abort one that was not.
    if (this.#state !== "ongoing" && !(hasNewEpochs && !commit)) return INVALID_TXN_STATE;
    this.#end(commit);
    this.#state = "ended";
    this.#lastEnd = { epoch, commit };
    if (hasNewEpochs) this.#epoch++;
    return 0;
  }

  #end(commit: boolean): void {
    for (const { entries } of this.#logs) {
      for (const entry of entries) if (entry.outcome === "open") entry.outcome = commit ? "committed" : "aborted";
    }
    if (commit && this.#pendingOffset !== null) this.committedOffset = this.#pendingOffset;
    this.#pendingOffset = null;
    this.#announced.clear();
  }
}

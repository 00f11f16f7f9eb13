import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Client, HeaderEncoder } from "@eos/client";
import {
  type Headers,
  type ParticipantHost,
  type ParticipantTask,
  type PartitionPosition,
  type RecordSink,
  silentLogger,
  systemClock,
  type TaskParticipant,
  type TransactionParticipant,
} from "@eos/core";
import { SimulatedCluster } from "./simulated-cluster.ts";
import type { SimulatedPartition, SimulatedRecord } from "./simulated-partition.ts";

/** What is special about a crash; each absent by default. */
export interface SimulatedCrash {
  /** Of the transaction that is committing; the open one is aborted in any case. */
  readonly outcome?: "commit" | "abort";
  /** The markers that end the dead process's transaction come while the next one restores. */
  readonly markers?: "late";
  /** The next process dies while it restores, as soon as it has taken so many chunks; the one after it goes on. */
  readonly restoreDiesAfterChunks?: number;
}

/** How a commit ends: what the coordinator decided, and whether the task is told. */
export type SimulatedOutcome = "committed" | "aborted" | "unknownCommitted" | "unknownAborted";

const NO_HEADERS = null;
const APPLICATION_ID = "simulated";

/**
 * One task of a processor with one participant, and its broker: calls the participant in the order that its contract
 * says, without a broker or records of its own. What dies with a process is what `crash` drops.
 */
export class SimulatedTask<S> implements AsyncDisposable {
  readonly cluster: SimulatedCluster;
  readonly partition = 0;
  readonly #createParticipant: () => TransactionParticipant<S, Client>;
  #folder: string;
  #producerId = 0;
  #timestamp = -1;
  #inputOffset = 0;
  #failure: Error | null = null;
  #sinks = new Map<string, SimulatedSink>();
  #builder: TransactionParticipant<S, Client>;
  #participant: TaskParticipant<S> | null = null;

  /** @param createParticipant - a process of its own each time */
  static async start<S>(
    createParticipant: () => TransactionParticipant<S, Client>,
    cluster = new SimulatedCluster(),
  ): Promise<SimulatedTask<S>> {
    const task = new SimulatedTask(createParticipant, cluster, await temporaryFolder());
    await task.#open();
    return task;
  }

  private constructor(
    createParticipant: () => TransactionParticipant<S, Client>,
    cluster: SimulatedCluster,
    folder: string,
  ) {
    this.#createParticipant = createParticipant;
    this.#builder = createParticipant();
    this.cluster = cluster;
    this.#folder = folder;
  }

  get state(): S {
    return this.#running().state;
  }

  get participant(): TaskParticipant<S> {
    return this.#running();
  }

  get builder(): TransactionParticipant<S, Client> {
    return this.#builder;
  }

  get stateDir(): string {
    return this.#folder;
  }

  /** The participant's changelog: the one topic it has written to. */
  get changelog(): SimulatedPartition {
    const [topic] = this.#sinks.keys();
    if (topic === undefined) throw new Error("the participant has asked for no sink");
    return this.cluster.partition(topic, this.partition);
  }

  /** What the participant told of with `fail`. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** The timestamp of the record being processed from now on. */
  at(timestamp: number): void {
    this.#timestamp = timestamp;
  }

  /** A commit without anything in between. */
  async commit(): Promise<void> {
    this.beginCommit();
    await this.endCommit("committed");
  }

  /** What is written from now on belongs to the next transaction. */
  beginCommit(): void {
    this.#running().beginCommit();
    for (const sink of this.#sinks.values()) sink.seal();
    this.#inputOffset++;
  }

  async endCommit(outcome: SimulatedOutcome): Promise<void> {
    for (const sink of this.#sinks.values()) sink.produceSealed();
    const isCommitted = outcome === "committed" || outcome === "unknownCommitted";
    this.cluster.end(this.#producerId, isCommitted ? "commit" : "abort");
    if (outcome === "committed") await this.#running().committed(this.#positions());
    else await this.#recover();
  }

  /** The records of the open transaction that have been sent by now are in the log, and stay there as aborted ones. */
  async abort(): Promise<void> {
    for (const sink of this.#sinks.values()) sink.produceOpen();
    this.cluster.end(this.#producerId, "abort");
    await this.#recover();
  }

  /** After `fail`, or when the changelog was tampered with: back to what is committed. */
  async recover(): Promise<void> {
    this.cluster.end(this.#producerId, "abort");
    await this.#recover();
  }

  /**
   * The process dies, with whatever it has open: what lies in its folder at this moment is all that is left. The next
   * one takes over as `InitProducerId` makes it.
   */
  async crash({ outcome = "abort", markers, restoreDiesAfterChunks }: SimulatedCrash = {}): Promise<void> {
    for (const sink of this.#sinks.values()) {
      if (outcome === "commit") sink.produceSealed();
      else sink.produceOpen();
    }
    await this.#die();
    const producerId = this.#producerId;
    if (markers === undefined) this.cluster.end(producerId, outcome);
    if (restoreDiesAfterChunks !== undefined && markers === undefined) await this.#dieRestoring(restoreDiesAfterChunks);
    const opening = this.#open();
    if (markers === "late") {
      await nextTurn();
      this.cluster.end(producerId, outcome);
    }
    await opening;
  }

  /** A clean stop, and the next start. */
  async restart(): Promise<void> {
    await this.#close();
    this.cluster.end(this.#producerId, "abort");
    await this.#open();
  }

  /** As {@link restart}, on a machine that has nothing. */
  async move(): Promise<void> {
    await this.#close();
    this.cluster.end(this.#producerId, "abort");
    await rm(this.#folder, { recursive: true, force: true });
    this.#folder = await temporaryFolder();
    await this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #running(): TaskParticipant<S> {
    if (this.#participant === null) throw new Error("the simulated task is not running");
    return this.#participant;
  }

  async #open(signal = new AbortController().signal): Promise<void> {
    this.#producerId++;
    this.#failure = null;
    this.#timestamp = -1;
    this.#sinks = new Map();
    this.#builder = this.#createParticipant();
    await this.#builder.prepare(this.#host());
    this.#participant = await this.#builder.open(this.#task(signal));
    await this.#participant.restore(this.#positions(), signal);
  }

  async #dieRestoring(chunks: number): Promise<void> {
    const death = new AbortController();
    let left = chunks;
    this.cluster.onChunk = () => {
      if (--left <= 0) death.abort();
    };
    await this.#open(death.signal).catch((error: unknown) => {
      if (!death.signal.aborted) throw error;
    });
    this.cluster.onChunk = () => {};
    await this.#die();
  }

  async #die(): Promise<void> {
    const left = await temporaryFolder();
    await cp(this.#folder, left, { recursive: true });
    await this.#close();
    await rm(this.#folder, { recursive: true, force: true });
    this.#folder = left;
  }

  async #recover(): Promise<void> {
    for (const sink of this.#sinks.values()) sink.drop();
    this.#running().abort();
    this.#failure = null;
    await this.#running().restore(this.#positions(), new AbortController().signal);
  }

  async #close(): Promise<void> {
    const participant = this.#participant;
    this.#participant = null;
    await participant?.close();
  }

  #positions(): readonly PartitionPosition[] {
    return [{ topic: "input", partition: this.partition, offset: this.#inputOffset }];
  }

  #host(): ParticipantHost<Client> {
    return {
      applicationId: APPLICATION_ID,
      client: this.cluster.client,
      stateDir: this.#folder,
      taskCount: 1,
      replicationFactor: 1,
      clock: systemClock,
      logger: silentLogger,
      observer: {},
    };
  }

  #task(signal: AbortSignal): ParticipantTask {
    const timestamp = (): number => this.#timestamp;
    return {
      taskId: `0_${this.partition}`,
      partition: this.partition,
      get timestamp() {
        return timestamp();
      },
      signal,
      sink: async (topic) => {
        const log = this.cluster.partition(topic, this.partition);
        const sink = new SimulatedSink((records) => log.append(this.#producerId, records));
        this.#sinks.set(topic, sink);
        return sink;
      },
      fail: (error) => {
        this.#failure ??= error;
      },
    };
  }
}

/** What a task writes to one partition, until it is produced. */
class SimulatedSink implements RecordSink {
  readonly #produce: (records: readonly SimulatedRecord[]) => number;
  readonly #headers = new HeaderEncoder();
  #open: SimulatedRecord[] = [];
  #sealed: SimulatedRecord[] = [];
  endOffset = -1;

  /** @param produce - returns the offset behind the last record */
  constructor(produce: (records: readonly SimulatedRecord[]) => number) {
    this.#produce = produce;
  }

  append(
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    timestamp: number,
    headers?: Headers,
  ): void {
    this.#open.push({
      key: Buffer.from(key.subarray(keyStart, keyEnd)),
      value: value === null ? null : typeof value === "string" ? Buffer.from(value) : Buffer.from(value),
      timestamp,
      headers: headers === undefined ? NO_HEADERS : this.#encode(headers),
    });
  }

  /** What was appended so far is the transaction that commits. */
  seal(): void {
    this.#sealed = this.#open;
    this.#open = [];
  }

  produceSealed(): void {
    if (this.#sealed.length > 0) this.endOffset = this.#produce(this.#sealed);
    this.#sealed = [];
  }

  /** A full batch leaves before its transaction is about to commit. */
  produceOpen(): void {
    this.seal();
    this.produceSealed();
  }

  drop(): void {
    this.#open = [];
    this.#sealed = [];
  }

  #encode(headers: Headers): Buffer {
    this.#headers.encode(headers);
    return Buffer.from(this.#headers.buffer.subarray(0, this.#headers.length));
  }
}

function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), "eos-simulated-"));
}

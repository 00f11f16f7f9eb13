import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Client } from "@eos/client";
import {
  type ParticipantHost,
  type ParticipantTask,
  type PartitionPosition,
  silentLogger,
  systemClock,
  type TaskParticipant,
  type TransactionParticipant,
} from "@eos/core";
import { SimulatedCluster } from "./simulated-cluster.ts";
import type { SimulatedPartition } from "./simulated-partition.ts";
import { SimulatedSink } from "./simulated-sink.ts";

/** How a process dies, and the next one takes over. */
export interface SimulatedCrash {
  /** Of the transaction that is committing; the open one is aborted in any case. @defaultValue 'abort' */
  readonly outcome?: "commit" | "abort";
  /**
   * When the markers come that end the dead process's transaction: before the next one restores, or when that waits for
   * them.
   * @defaultValue 'inTime'
   */
  readonly markers?: "inTime" | "late";
  /**
   * The next process dies too, as soon as it has restored so many chunks, and the one after it goes on.
   * @defaultValue 0: it does not die
   */
  readonly restoreDiesAfterChunks?: number;
}

/** How a commit ends: what the coordinator decided, and whether the task is told. */
export type SimulatedOutcome = "committed" | "aborted" | "unknownCommitted" | "unknownAborted";

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

  /**
   * The process dies, with whatever it has open: what lies in its folder at this moment is all that is left. The next
   * one takes over as `InitProducerId` makes it.
   */
  async crash({
    outcome = "abort",
    markers = "inTime",
    restoreDiesAfterChunks = 0,
  }: SimulatedCrash = {}): Promise<void> {
    for (const sink of this.#sinks.values()) {
      if (outcome === "commit") sink.produceSealed();
      else sink.produceOpen();
    }
    await this.#die();
    const producerId = this.#producerId;
    const endTransaction = (): void => this.cluster.end(producerId, outcome);
    if (markers === "inTime") endTransaction();
    else this.cluster.onWait = endTransaction;
    if (restoreDiesAfterChunks > 0) await this.#dieRestoring(restoreDiesAfterChunks);
    await this.#open();
    this.cluster.onWait = () => {};
    // When it had written nothing to the changelog, there was nothing to wait for.
    endTransaction();
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
    const left = await copyOfOneMoment(this.#folder);
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
      client: this.cluster.createClient(),
      stateDir: this.#folder,
      stateCleanupDelayMs: Number.MAX_SAFE_INTEGER,
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

/** LevelDB replaces files in the background: a copy that this happened to is of no moment, and is made again. */
async function copyOfOneMoment(folder: string): Promise<string> {
  for (;;) {
    const copy = await temporaryFolder();
    try {
      const before = await contents(folder);
      await cp(folder, copy, { recursive: true });
      if ((await contents(folder)) === before) return copy;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    await rm(copy, { recursive: true, force: true });
  }
}

/** The files in a folder, as of now: two that are the same have nothing written in between. */
async function contents(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  const files = names.toSorted().map(async (name) => {
    const { ino, size, mtimeMs } = await stat(path.join(folder, name));
    return `${name} ${ino} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(files)).join("\n");
}

function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), "eos-simulated-"));
}

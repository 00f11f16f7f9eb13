import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Admin,
  type BatchChunk,
  type Client,
  OffsetOutOfRangeError,
  type PartitionReaderOptions,
  type RecordBatch,
  UnknownTopicError,
} from "@eos/client";
import { SimulatedPartition } from "./simulated-partition.ts";

interface SimulatedTopic {
  readonly config: ReadonlyMap<string, string>;
  readonly partitions: readonly SimulatedPartition[];
}

/** Few, so that a restore takes more than one chunk. */
const BATCHES_A_CHUNK = 3;

const BROKER_DEFAULTS: readonly (readonly [string, string])[] = [
  ["cleanup.policy", "delete"],
  ["delete.retention.ms", "86400000"],
  ["message.timestamp.type", "CreateTime"],
  ["min.compaction.lag.ms", "0"],
  ["retention.bytes", "-1"],
  ["retention.ms", "604800000"],
];

/** Topics in memory, behind as much of the client as stores use. */
export class SimulatedCluster {
  readonly #topics = new Map<string, SimulatedTopic>();
  /** For a look at it from outside. */
  readonly client: Client = this.createClient();
  /** Called with each chunk that a reader has taken. */
  onChunk = (): void => {};
  /** Called when a reader has to wait for the end of a transaction. */
  onWait = (): void => {};

  /** A client of its own for each process. */
  createClient(): Client {
    const admin: Pick<Admin, "ensureTopics" | "partitionCount" | "describeTopicConfig" | "listOffsets"> = {
      ensureTopics: async (topics) => {
        for (const { topic, partitions, config = {} } of topics) this.#create(topic, partitions, config);
      },
      partitionCount: async (topic) => this.#topic(topic).partitions.length,
      describeTopicConfig: async (topic) => this.#topic(topic).config,
      listOffsets: async (partitions, spec, isolation = "read_committed") =>
        partitions.map((each) => {
          const log = this.partition(each.topic, each.partition);
          const latest = isolation === "read_committed" ? log.lastStableOffset : log.highWatermark;
          return { ...each, offset: spec === "earliest" ? log.startOffset : latest };
        }),
    };
    const client: Pick<Client, "readPartition" | "readChunks"> = {
      readPartition: (options) => this.#read(options),
      readChunks: (options) => this.#readChunks(options),
    };
    // Whatever else a store may call is missing, and throws.
    return { ...client, admin } as unknown as Client;
  }

  /** @throws UnknownTopicError */
  partition(topic: string, partition: number): SimulatedPartition {
    const log = this.#topic(topic).partitions[partition];
    if (log === undefined) throw new UnknownTopicError(topic);
    return log;
  }

  /** Ends what a producer has open anywhere: its coordinator's markers. */
  end(producerId: number, outcome: "commit" | "abort"): void {
    for (const { partitions } of this.#topics.values()) for (const log of partitions) log.end(producerId, outcome);
  }

  #topic(topic: string): SimulatedTopic {
    const found = this.#topics.get(topic);
    if (found === undefined) throw new UnknownTopicError(topic);
    return found;
  }

  #create(topic: string, partitionCount: number, config: { readonly [name: string]: string }): void {
    if (this.#topics.has(topic)) return;
    const partitions = Array.from({ length: partitionCount }, (_, partition) => {
      return new SimulatedPartition({ topic, partition });
    });
    this.#topics.set(topic, { config: new Map([...BROKER_DEFAULTS, ...Object.entries(config)]), partitions });
  }

  async *#read(options: PartitionReaderOptions): AsyncGenerator<RecordBatch> {
    for await (const { batches } of this.#readChunks(options)) {
      for (const batch of batches) if (batch.count > 0) yield batch;
    }
  }

  async *#readChunks(options: PartitionReaderOptions): AsyncGenerator<BatchChunk> {
    const { topic, partition, from, to = Infinity, isolation = "read_committed", signal } = options;
    const log = this.partition(topic, partition);
    let position = from;
    while (position < to) {
      await nextTurn();
      signal?.throwIfAborted();
      if (position < log.startOffset || position > log.highWatermark) {
        throw new OffsetOutOfRangeError({ topic, partition, offset: position });
      }
      const { changed } = log;
      const batches = log.read(position, isolation, BATCHES_A_CHUNK);
      const nextOffset = batches.at(-1)?.nextOffset;
      if (nextOffset === undefined) {
        this.onWait();
        await Promise.race([changed, fired(signal)]);
        continue;
      }
      yield { batches, nextOffset };
      this.onChunk();
      position = nextOffset;
    }
  }
}

function fired(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

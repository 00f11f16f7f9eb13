import type { Client } from "@eos/client";
import type { TopicPartition } from "@eos/core";

/** How far a partition of the output is. */
export interface OutputPosition {
  readonly partition: number;
  /** The last stable offset: behind it nothing is decided, and read-committed readers wait there. */
  readonly stable: number;
  /** Where the next record will be written. */
  readonly end: number;
}

/** How far the group is in a partition of the input. */
export interface InputPosition {
  readonly partition: number;
  /** −1: nothing. */
  readonly committed: number;
  readonly end: number;
}

export interface TopicsViewOptions {
  readonly client: Client;
  readonly input: string;
  readonly output: string;
  readonly partitions: number;
  readonly groupId: string;
}

/** The run seen from outside: what the brokers say about both topics and the group. */
export class TopicsView {
  readonly #options: TopicsViewOptions;

  constructor(options: TopicsViewOptions) {
    this.#options = options;
  }

  async output(): Promise<OutputPosition[]> {
    const { client, output } = this.#options;
    const partitions = this.#partitionsOf(output);
    const stable = await client.admin.listOffsets(partitions, "latest", "read_committed");
    const ends = await client.admin.listOffsets(partitions, "latest", "read_uncommitted");
    return partitions.map(({ partition }) => ({
      partition,
      stable: stable[partition]?.offset as number,
      end: ends[partition]?.offset as number,
    }));
  }

  async input(): Promise<InputPosition[]> {
    const { client, input, groupId } = this.#options;
    const partitions = this.#partitionsOf(input);
    // What an open transaction would commit does not count yet.
    const committed = await client.admin.committedOffsets(groupId, partitions, { requireStable: false });
    const ends = await client.admin.listOffsets(partitions, "latest", "read_uncommitted");
    const offsets = new Map(committed.map(({ partition, offset }) => [partition, offset]));
    return partitions.map(({ partition }) => ({
      partition,
      committed: offsets.get(partition) ?? -1,
      end: ends[partition]?.offset as number,
    }));
  }

  #partitionsOf(topic: string): TopicPartition[] {
    return Array.from({ length: this.#options.partitions }, (_, partition) => ({ topic, partition }));
  }
}

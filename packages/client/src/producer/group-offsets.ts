import type { GroupGeneration } from "../group/group-generation.ts";

/** The next offset to read, with the metadata to store beside it. */
export interface OffsetAndMetadata {
  readonly offset: number;
  readonly metadata: string;
}

/** Offsets that a transaction (or an at-least-once commit) carries, by topic and partition. */
export class OffsetBatch {
  readonly #topics = new Map<string, Map<number, OffsetAndMetadata>>();

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  /** Sets the next offset to read of one input partition; the last call counts. */
  set(topic: string, partition: number, offset: number, metadata: string): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, (partitions = new Map()));
    partitions.set(partition, { offset, metadata });
  }

  /** What was set so far, as a batch of its own; this one is empty afterwards. */
  take(): OffsetBatch {
    const taken = new OffsetBatch();
    for (const [topic, partitions] of this.#topics) taken.#topics.set(topic, partitions);
    this.#topics.clear();
    return taken;
  }

  /** The offsets in the shape of the protocol's requests. */
  toTopics(): { topic: string; partitions: { partition: number; offset: number; metadata: string }[] }[] {
    return [...this.#topics].map(([topic, partitions]) => ({
      topic,
      partitions: [...partitions].map(([partition, { offset, metadata }]) => ({ partition, offset, metadata })),
    }));
  }
}

/** Offsets and the generation in which their records were fetched: what KIP-447 fences by. */
export interface GroupOffsets {
  readonly generation: GroupGeneration;
  readonly offsets: OffsetBatch;
}

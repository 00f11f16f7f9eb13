import { javaBucket, javaBuckets, javaPartitionHash } from "../java-hash-order.ts";
import type { PartitionIndex } from "../partition-index.ts";

interface Movement {
  readonly from: number;
  readonly to: number;
}

/** Java's `HashSet` of the partitions of one topic that went from one member to another. */
interface Moved {
  readonly ids: Set<number>;
  /** A `HashSet` never shrinks. */
  buckets: number;
}

/**
 * Which partitions have moved while the group is being balanced, so that no two partitions of one topic change places:
 * where A is to give B a partition and has had one of that topic from B, it gives that one back instead.
 * Java's `PartitionMovements`.
 */
export class PartitionMovements {
  readonly #partitions: PartitionIndex;
  readonly #memberCount: number;
  readonly #movements = new Map<number, Movement>();
  readonly #moved = new Map<number, Moved>();

  constructor(partitions: PartitionIndex, memberCount: number) {
    this.#partitions = partitions;
    this.#memberCount = memberCount;
  }

  record(id: number, from: number, to: number): void {
    const earlier = this.#movements.get(id);
    if (earlier === undefined) {
      this.#add(id, { from, to });
      return;
    }
    this.#remove(id, earlier);
    if (earlier.from !== to) this.#add(id, { from: earlier.from, to });
  }

  /** The partition to move instead of `id`, which may be `id`. */
  insteadOf(id: number, from: number, to: number): number {
    const origin = this.#movements.get(id)?.from ?? from;
    const back = this.#moved.get(this.#key(id, { from: to, to: origin }));
    return back === undefined ? id : this.#first(back);
  }

  #add(id: number, movement: Movement): void {
    this.#movements.set(id, movement);
    const key = this.#key(id, movement);
    const moved = this.#moved.get(key) ?? { ids: new Set(), buckets: 0 };
    moved.ids.add(id);
    moved.buckets = Math.max(moved.buckets, javaBuckets(moved.ids.size));
    this.#moved.set(key, moved);
  }

  #remove(id: number, movement: Movement): void {
    this.#movements.delete(id);
    const key = this.#key(id, movement);
    const moved = this.#moved.get(key);
    moved?.ids.delete(id);
    if (moved?.ids.size === 0) this.#moved.delete(key);
  }

  #key(id: number, { from, to }: Movement): number {
    return (this.#partitions.topicIdOf(id) * this.#memberCount + from) * this.#memberCount + to;
  }

  /** The one that a `HashSet` iterates first. */
  #first({ ids, buckets }: Moved): number {
    let first = -1;
    let lowest = Number.POSITIVE_INFINITY;
    for (const id of ids) {
      const topic = this.#partitions.topics[this.#partitions.topicIdOf(id)] as string;
      const bucket = javaBucket(javaPartitionHash(topic, this.#partitions.partitionOf(id)), buckets);
      if (bucket >= lowest) continue;
      first = id;
      lowest = bucket;
    }
    return first;
  }
}

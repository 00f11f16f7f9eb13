import type { Assignment } from "@eos/client";
import { compareText } from "./text-order.ts";

/** The partitions of some topics as integers from 0 on, topic by topic: what is said of each fits an array. */
export class PartitionIndex {
  /** In order; topics that do not exist are left out. */
  readonly topics: readonly string[];
  readonly size: number;
  readonly #topicIds = new Map<string, number>();
  readonly #firsts: number[] = [];
  readonly #topicOf: number[] = [];

  constructor(topics: Iterable<string>, partitionCounts: ReadonlyMap<string, number>) {
    const counted = (topic: string) => partitionCounts.get(topic) ?? 0;
    this.topics = [...new Set(topics)].filter((topic) => counted(topic) > 0).sort(compareText);
    for (const [topicId, topic] of this.topics.entries()) {
      this.#topicIds.set(topic, topicId);
      this.#firsts.push(this.#topicOf.length);
      for (let partition = 0; partition < counted(topic); partition++) this.#topicOf.push(topicId);
    }
    this.size = this.#topicOf.length;
  }

  /** `undefined` when there is no such topic (any more), or it has fewer partitions. */
  find(topic: string, partition: number): number | undefined {
    const topicId = this.#topicIds.get(topic);
    if (topicId === undefined) return undefined;
    const id = (this.#firsts[topicId] as number) + partition;
    return this.#topicOf[id] === topicId && partition >= 0 ? id : undefined;
  }

  topicId(topic: string): number | undefined {
    return this.#topicIds.get(topic);
  }

  topicIdOf(id: number): number {
    return this.#topicOf[id] as number;
  }

  partitionOf(id: number): number {
    return id - (this.#firsts[this.topicIdOf(id)] as number);
  }

  /** What each member has, given the owner of each partition; also of members that have nothing. */
  assignments(memberIds: readonly string[], owners: readonly number[]): Map<string, Assignment> {
    const assigned = memberIds.map(() => new Map<string, number[]>());
    for (const [id, owner] of owners.entries()) {
      const ofMember = assigned[owner];
      if (ofMember === undefined) continue;
      const topic = this.topics[this.topicIdOf(id)] as string;
      const partitions = ofMember.get(topic);
      if (partitions === undefined) ofMember.set(topic, [this.partitionOf(id)]);
      else partitions.push(this.partitionOf(id));
    }
    return new Map(memberIds.map((memberId, member) => [memberId, assigned[member] as Map<string, number[]>]));
  }
}

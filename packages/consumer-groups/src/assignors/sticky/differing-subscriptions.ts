import type { PartitionIndex } from "../partition-index.ts";
import { type Claims, staleOwners } from "./claims.ts";
import { PartitionMovements } from "./partition-movements.ts";
import { NOBODY, type StickyGroup } from "./sticky-group.ts";

/**
 * Java's `GeneralAssignmentBuilder`, for members that subscribe to different topics.
 *
 * 1. Members keep what they have and still subscribe to.
 * 2. Every other partition goes to the subscriber that has least.
 * 3. Partitions move to subscribers that have at least two fewer, until there is none.
 *
 * @returns the owner of each partition
 */
export function assignDifferingSubscriptions(group: StickyGroup, claims: Claims): number[] {
  return new DifferingSubscriptions(group, claims).assign();
}

class DifferingSubscriptions {
  readonly #partitions: PartitionIndex;
  /** By topic, in order of member id. */
  readonly #subscribers: readonly (readonly number[])[];
  readonly #staleOwners: ReadonlyMap<number, number>;
  readonly #movements: PartitionMovements;
  readonly #hasRevoked: boolean;
  readonly #owners: number[];
  /** By member, how many partitions it has. */
  readonly #loads: number[];
  #idleMovesLeft: number;

  constructor(group: StickyGroup, claims: Claims) {
    const { members, partitions } = group;
    this.#partitions = partitions;
    this.#subscribers = partitions.topics.map((topic) =>
      [...members.keys()].filter((member) => members[member]?.topics.has(topic)),
    );
    this.#staleOwners = staleOwners(group);
    this.#movements = new PartitionMovements(partitions, members.length);
    this.#owners = claims.owners.map((owner, id) => (this.#subscribersOf(id).includes(owner) ? owner : NOBODY));
    this.#hasRevoked = claims.owners.some((owner, id) => owner !== this.#owners[id]);
    this.#idleMovesLeft = partitions.size;
    this.#loads = members.map(() => 0);
    for (const owner of this.#owners) if (owner !== NOBODY) this.#addLoad(owner, 1);
  }

  assign(): number[] {
    const byChoice = this.#partitionsByChoice();
    const unassigned = byChoice.filter((id) => this.#owners[id] === NOBODY);
    for (const id of unassigned) {
      const owner = this.#leastLoaded(this.#subscribersOf(id));
      this.#owners[id] = owner;
      this.#addLoad(owner, 1);
    }
    const movable = (id: number) => this.#subscribersOf(id).length > 1;
    // What is new may be moved before what somebody has.
    if (!this.#hasRevoked) this.#balance(unassigned.filter(movable));
    this.#balance(byChoice.filter(movable));
    return this.#owners;
  }

  /** Partitions that few members can have come first. */
  #partitionsByChoice(): number[] {
    return Array.from({ length: this.#partitions.size }, (_, id) => id).sort(
      (a, b) => this.#subscribersOf(a).length - this.#subscribersOf(b).length || a - b,
    );
  }

  /** Moves partitions until none is left that is better elsewhere. */
  #balance(ids: readonly number[]): void {
    for (let hasMoved = true; hasMoved;) {
      hasMoved = false;
      for (const id of ids) {
        const target = this.#betterOwner(id);
        if (target === undefined) continue;
        this.#move(this.#partitionToMove(id, target), target);
        hasMoved = true;
      }
    }
  }

  /**
   * Java's substitute for a partition that has moved before may be one that is no better at the target. Every other
   * move brings the members closer together, so with a limit on these it comes to an end; Java has none.
   */
  #partitionToMove(id: number, target: number): number {
    const substitute = this.#movements.insteadOf(id, this.#owners[id] as number, target);
    if (this.#isBetterAt(target, substitute)) return substitute;
    return this.#idleMovesLeft-- > 0 ? substitute : id;
  }

  #betterOwner(id: number): number | undefined {
    const candidates = [this.#staleOwners.get(id), this.#leastLoaded(this.#subscribersOf(id))];
    return candidates.find((member) => member !== undefined && this.#isBetterAt(member, id));
  }

  #isBetterAt(member: number, id: number): boolean {
    return this.#loadOf(this.#owners[id] as number) > this.#loadOf(member) + 1;
  }

  #move(id: number, to: number): void {
    const from = this.#owners[id] as number;
    this.#movements.record(id, from, to);
    this.#owners[id] = to;
    this.#addLoad(from, -1);
    this.#addLoad(to, 1);
  }

  #leastLoaded(members: readonly number[]): number {
    let least = members[0] as number;
    for (const member of members) if (this.#loadOf(member) < this.#loadOf(least)) least = member;
    return least;
  }

  #subscribersOf(id: number): readonly number[] {
    return this.#subscribers[this.#partitions.topicIdOf(id)] as readonly number[];
  }

  #loadOf(member: number): number {
    return this.#loads[member] as number;
  }

  #addLoad(member: number, partitions: number): void {
    this.#loads[member] = this.#loadOf(member) + partitions;
  }
}

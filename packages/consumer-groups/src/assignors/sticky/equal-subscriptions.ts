import type { PartitionIndex } from "../partition-index.ts";
import type { Claims } from "./claims.ts";
import { NOBODY } from "./sticky-group.ts";

/** What has to be known of a group whose members subscribe to the same topics. A member is its index. */
export interface EqualGroup {
  readonly members: readonly unknown[];
  /** The members in the order in which they may keep more than their share. */
  readonly precedence: readonly number[];
  readonly partitions: PartitionIndex;
}

/**
 * Java's `ConstrainedAssignmentBuilder`, for members that all subscribe to the same topics. With n partitions and m
 * members, n mod m members get ⌈n/m⌉ and the others ⌊n/m⌋. Every member keeps what it has up to its share; what is
 * left is dealt to those that are below it.
 *
 * @returns the owner of each partition
 */
export function assignEqualSubscriptions(
  { members, precedence, partitions }: EqualGroup,
  { owners: claimed, contested }: Claims,
): number[] {
  const least = Math.floor(partitions.size / members.length);
  const most = Math.ceil(partitions.size / members.length);
  const richPlaces = partitions.size % members.length;

  const owned = members.map((): number[] => []);
  for (const [id, owner] of claimed.entries()) if (!contested.has(id)) owned[owner]?.push(id);
  for (const ids of owned) ids.sort((a, b) => partitions.partitionOf(a) - partitions.partitionOf(b) || a - b);

  const owners = claimed.map(() => NOBODY);
  const sizes = members.map(() => 0);
  const give = (id: number, member: number): number => {
    owners[id] = member;
    sizes[member] = (sizes[member] as number) + 1;
    return sizes[member];
  };

  let rich = 0;
  const poor: number[] = [];
  const fair: number[] = [];
  for (const member of precedence) {
    const ids = owned[member] as number[];
    const isRich = ids.length >= most && rich < richPlaces;
    for (const id of ids.slice(0, isRich ? most : least)) give(id, member);
    if (isRich) rich++;
    else if (ids.length < least) poor.push(member);
    else fair.push(member);
  }
  poor.sort((a, b) => a - b);
  fair.sort((a, b) => a - b);

  const free = [...owners.keys()].filter((id) => owners[id] === NOBODY).values();
  for (let round = poor; round.length > 0;) {
    const stillPoor: number[] = [];
    for (const member of round) {
      if (give(free.next().value as number, member) < least) stillPoor.push(member);
      else fair.push(member);
    }
    round = stillPoor;
  }
  for (const member of fair) {
    const { value, done } = free.next();
    if (done === true) break;
    give(value, member);
  }
  return owners;
}

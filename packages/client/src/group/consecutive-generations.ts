import type { GroupGeneration } from "./group-generation.ts";

/**
 * Whether what a member holds in `previous` may be kept in `next`: the same member, in two consecutive generations, so
 * that nobody else can have had it in between.
 */
export function isConsecutive(previous: GroupGeneration | null, next: GroupGeneration): boolean {
  return previous !== null && previous.memberId === next.memberId && previous.generationId + 1 === next.generationId;
}

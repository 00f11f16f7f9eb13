import { EosError, formatTopicPartition, samePartition, type TopicPartition } from "@eos/core";
import type { Admin } from "../admin/admin.ts";

/** `autoOffsetReset` is `'none'` and the group has no offset for a partition. */
export class NoCommittedOffsetError extends EosError {
  constructor(groupId: string, partitions: readonly string[]) {
    super(`group ${groupId} has no committed offset for ${partitions.join(", ")}`, {
      code: "EOS_NO_COMMITTED_OFFSET",
      severity: "fatal",
      hint: "Set the group's offsets, or choose autoOffsetReset 'earliest' or 'latest'.",
    });
  }
}

/**
 * Where reading begins: at the committed offset, or where `autoOffsetReset` says for a partition without one. In the
 * order given.
 *
 * @throws NoCommittedOffsetError
 */
export async function startPositions<P extends TopicPartition & { readonly offset: number | null }>(
  admin: Admin,
  groupId: string,
  committed: readonly P[],
  autoOffsetReset: "earliest" | "latest" | "none",
): Promise<(P & { readonly offset: number })[]> {
  const missing = committed.filter(({ offset }) => offset === null);
  if (missing.length > 0 && autoOffsetReset === "none") {
    throw new NoCommittedOffsetError(groupId, missing.map(formatTopicPartition));
  }
  const start =
    missing.length === 0 ? [] : await admin.listOffsets(missing, autoOffsetReset === "latest" ? "latest" : "earliest");
  return committed.map((partition) => {
    const offset = partition.offset ?? start.find((found) => samePartition(found, partition))?.offset ?? 0;
    return { ...partition, offset };
  });
}

import type { Client } from "@eos/client";
import { nonNegativeInteger, type TopicPartition } from "@eos/core";
import type { SeekPosition } from "./consumer-group.ts";
import { NotAssignedError } from "./errors.ts";

/**
 * The offset that a position stands for. Behind the last record there is the end of the partition.
 * @throws TypeError when it is no position
 */
export async function seekOffset(
  admin: Pick<Client["admin"], "listOffsets">,
  partition: TopicPartition,
  position: SeekPosition,
): Promise<number> {
  refuseNonsense(position);
  if (typeof position === "object" && "offset" in position) return position.offset;
  if (typeof position === "object") {
    const [found] = await admin.listOffsets([partition], { timestamp: position.timestampMs });
    if (found !== undefined && found.offset >= 0) return found.offset;
  }
  const [end] = await admin.listOffsets([partition], position === "beginning" ? "earliest" : "latest");
  if (end === undefined) throw new NotAssignedError(partition);
  return end.offset;
}

function refuseNonsense(position: SeekPosition): void {
  if (position === "beginning" || position === "end") return;
  const { offset, timestampMs } = position as { readonly offset?: unknown; readonly timestampMs?: unknown };
  if (nonNegativeInteger.accepts(offset ?? timestampMs)) return;
  throw new TypeError(
    "seek: the position must be 'beginning', 'end', { offset } or { timestampMs }, both integers of 0 or more",
  );
}

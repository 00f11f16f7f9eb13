import type { Client } from "@eos/client";
import { formatTopicPartition, type TopicPartition } from "@eos/core";
import { ChangelogTruncatedError } from "../errors.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What of a changelog a store has not seen. */
export interface ChangelogRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The end is the high watermark, not the last stable offset: when a group's offsets are stable already, the markers of the
 * transaction that wrote them may still be on their way to the changelog.
 * ```
 * 1. a predecessor's EndTxn is acknowledged by the coordinator
 * 2. its marker arrives in the offsets topic: the offsets are stable, a successor goes on from them
 * 3. its marker arrives in the changelog: only now the last stable offset is behind its records
 * ```
 * Read as committed up to the high watermark, 3 is waited for. Kafka Streams' `StoreChangelogReader` does the same.
 *
 * @param from - next offset to read; −1: the earliest
 * @throws ChangelogTruncatedError, the signal's reason, UnknownTopicError, AuthorizationError, ConnectionError
 */
export async function unseenRange(
  admin: Pick<Client["admin"], "listOffsets">,
  changelog: TopicPartition,
  from: number,
  signal: AbortSignal | undefined,
): Promise<ChangelogRange> {
  const listed = Promise.all([
    admin.listOffsets([changelog], "earliest", "read_uncommitted"),
    admin.listOffsets([changelog], "latest", "read_uncommitted"),
  ]);
  // It is patient with brokers that cannot be reached; whoever takes the task away is not.
  const [[earliest], [latest]] = await unlessAborted(listed, signal);
  if (earliest === undefined || latest === undefined) {
    throw new Error(`no offsets were listed for ${formatTopicPartition(changelog)}`);
  }
  if (from < 0) return { start: earliest.offset, end: latest.offset };
  if (from > latest.offset) {
    throw new ChangelogTruncatedError(
      changelog,
      `it ends at offset ${latest.offset}, but the store has it up to ${from}`,
    );
  }
  // Retention has emptied the topic, up to the marker of the store's own last commit, which comes behind its records.
  const isEmptied = earliest.offset === latest.offset && from === earliest.offset - 1;
  if (from < earliest.offset && !isEmptied) {
    throw new ChangelogTruncatedError(
      changelog,
      `it begins at offset ${earliest.offset}, but the store has it up to ${from} only`,
    );
  }
  return { start: Math.max(from, earliest.offset), end: latest.offset };
}

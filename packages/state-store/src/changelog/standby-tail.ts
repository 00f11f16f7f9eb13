import type { BatchChunk } from "@eos/client";
import { type Clock, EosError, type Logger } from "@eos/core";
import { unseenRange } from "./changelog-range.ts";
import { type ApplyChangelog, asTruncated, type RestoreOptions } from "./restore.ts";

export interface TailOptions {
  readonly client: RestoreOptions["client"];
  readonly topic: string;
  readonly partition: number;
  /** Next offset to read; −1 when nothing is known of it: the earliest. */
  readonly from: number;
  /** As in a restore. */
  readonly apply: ApplyChangelog;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
}

const BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;

/**
 * Keeps a copy of a store warm: applies what is committed to its changelog, until the signal fires. Brokers that cannot
 * be reached are tried again for as long as that takes.
 *
 * @returns the position applied; what is being applied when the signal fires still counts
 * @throws ChangelogTruncatedError when the changelog does not hold what comes after the position; what `apply` throws
 */
export async function tailChangelog(options: TailOptions): Promise<number> {
  let position = options.from;
  for await (const { batches, from, nextOffset } of follow(options)) {
    await options.apply(batches, from, nextOffset);
    position = nextOffset;
  }
  return position;
}

/** What `apply` throws does not come by here: only reading is tried again. */
async function* follow(options: TailOptions): AsyncGenerator<BatchChunk & { readonly from: number }> {
  const { client, topic, partition, signal, clock, logger } = options;
  let position = -1;
  let isKnown = false;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      if (!isKnown) {
        position = (await unseenRange(client.admin, { topic, partition }, options.from, signal)).start;
        isKnown = true;
      }
      for await (const chunk of client.readChunks({ topic, partition, from: position, signal })) {
        attempt = 0;
        yield { ...chunk, from: position };
        position = chunk.nextOffset;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!EosError.is(error) || error.severity !== "retriable")
        throw asTruncated(error, { topic, partition }, position);
      logger.warn({ topic, partition, err: error }, "Standby copy cannot read its changelog, trying again");
      await clock.sleep(Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** attempt), signal).catch(() => undefined);
    }
  }
}

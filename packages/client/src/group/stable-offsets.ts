import type { Clock, TopicPartition } from "@eos/core";
import type { Admin } from "../admin/admin.ts";
import type { CommittedOffset } from "../admin/committed-offsets.ts";
import { brokerError } from "../errors/errors.ts";

export interface StableOffsetsOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The pause between two looks. */
  readonly pollMs: number;
  /** Runs at every look at which a transaction holds some of the offsets; the next look waits for it. */
  readonly onHeld: (held: readonly CommittedOffset[], heldMs: number) => void | Promise<void>;
}

const UNSTABLE_OFFSET_COMMIT = 88;

/**
 * The group's offsets, once no transaction holds them any more (`requireStable`, KIP-447).
 *
 * @throws BrokerError when one is refused; the signal's reason
 */
export async function awaitStableOffsets(
  admin: Pick<Admin, "committedOffsets">,
  groupId: string,
  partitions: readonly TopicPartition[],
  { clock, signal, pollMs, onHeld }: StableOffsetsOptions,
): Promise<CommittedOffset[]> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    signal.throwIfAborted();
    const committed = await admin.committedOffsets(groupId, partitions, { requireStable: true });
    const refused = committed.find(({ errorCode }) => errorCode !== 0 && errorCode !== UNSTABLE_OFFSET_COMMIT);
    // Not to be mistaken for a partition without an offset, which begins anew.
    if (refused !== undefined) {
      const { topic, partition, errorCode } = refused;
      throw brokerError({ api: "OffsetFetch", kafkaCode: errorCode, groupId, topic, partition });
    }
    const held = committed.filter(({ errorCode }) => errorCode !== 0);
    if (held.length === 0) return committed;
    await onHeld(held, clock.monotonicMs() - startedMs);
    await clock.sleep(pollMs, signal);
  }
}

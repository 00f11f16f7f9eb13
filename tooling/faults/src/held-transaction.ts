import { setTimeout as sleep } from "node:timers/promises";

/** What is asked of a cluster: `admin` of a client of `@eos/client` answers it. */
export interface TopicOffsets {
  partitionCount(topic: string): Promise<number>;
  listOffsets(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
    at: "latest",
    isolation: "read_committed" | "read_uncommitted",
  ): Promise<readonly { readonly offset: number }[]>;
}

/**
 * Whether somebody who does nothing any more holds a transaction open on one of the topic's partitions: of what is there
 * now, something is still undecided after everybody who lives has had `watchMs` to commit.
 */
export async function isTransactionHeld(admin: TopicOffsets, topic: string, watchMs: number): Promise<boolean> {
  const count = await admin.partitionCount(topic);
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  const ends = await admin.listOffsets(partitions, "latest", "read_uncommitted");
  await sleep(watchMs);
  const stable = await admin.listOffsets(partitions, "latest", "read_committed");
  return stable.some(({ offset }, index) => offset < (ends[index]?.offset ?? 0));
}

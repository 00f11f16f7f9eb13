import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@eos/client";
import { partitionsOf } from "./copy-run.ts";

/**
 * Whether somebody who does nothing any more holds a transaction open on one of the topic's partitions: of what is there
 * now, something is still undecided after everybody who lives has had `watchMs` to commit.
 */
export async function isTransactionHeld(client: Client, topic: string, watchMs: number): Promise<boolean> {
  const partitions = await partitionsOf(client, topic);
  const ends = await client.admin.listOffsets(partitions, "latest", "read_uncommitted");
  await sleep(watchMs);
  const stable = await client.admin.listOffsets(partitions, "latest", "read_committed");
  return stable.some(({ offset }, index) => offset < (ends[index]?.offset ?? 0));
}

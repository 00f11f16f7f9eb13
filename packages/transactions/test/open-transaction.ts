import type { Client } from "@eos/client";
import { setTimeout as sleep } from "node:timers/promises";
import { partitionsOf } from "./copy-run.ts";

interface PartitionEnds {
  readonly stable: readonly number[];
  readonly end: readonly number[];
}

/**
 * Whether somebody who does nothing any more holds a transaction open on one of the topic's partitions: its last stable
 * offset lies before its end, and still does, unmoved, after everybody who lives has had `watchMs` to commit.
 */
export async function isTransactionHeld(client: Client, topic: string, watchMs: number): Promise<boolean> {
  const before = await endsOf(client, topic);
  await sleep(watchMs);
  const after = await endsOf(client, topic);
  return before.stable.some((stable, index) => stable < (before.end[index] as number) && stable === after.stable[index]);
}

async function endsOf(client: Client, topic: string): Promise<PartitionEnds> {
  const partitions = await partitionsOf(client, topic);
  // The stable offset first: it only rises, so that it is never compared with an older end.
  const stable = await client.admin.listOffsets(partitions, "latest", "read_committed");
  const end = await client.admin.listOffsets(partitions, "latest", "read_uncommitted");
  return { stable: stable.map(({ offset }) => offset), end: end.map(({ offset }) => offset) };
}

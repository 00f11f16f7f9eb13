import type { GroupGeneration } from "@eos/client";
import { Latch } from "./latch.ts";
import type { TestTopics } from "./test-topics.ts";

/** Joins a group and stays in it until it is disposed of. */
export async function joinGroup(
  topics: TestTopics,
): Promise<{ readonly generation: GroupGeneration } & AsyncDisposable> {
  const assigned = new Latch();
  const consumer = topics.client.groupConsumer({
    groupId: topics.applicationId,
    topics: [topics.input],
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 1_000,
    rebalanceTimeoutMs: 10_000,
    observer: {},
    onFetched: () => {},
    onFetchError: () => {},
    onFatal: () => {},
    hooks: {
      onAssigned: () => Promise.resolve(assigned.open()),
      onRevoked: () => Promise.resolve(),
      onLost: () => Promise.resolve(),
    },
  });
  await consumer.start();
  await assigned.opened;
  return { generation: consumer.generation as GroupGeneration, [Symbol.asyncDispose]: () => consumer.close() };
}

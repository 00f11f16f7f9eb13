import type { Clock } from "@eos/core";
import { type BrokerError, brokerError } from "../errors/errors.ts";
import { kafkaErrorClass } from "../errors/kafka-errors.ts";
import type { Cluster } from "../network/cluster.ts";
import type { GroupOffsets } from "../producer/group-offsets.ts";
import { offsetCommit, type OffsetCommitResponse } from "../protocol/offset-commit.ts";

const RETRY_MS = 50;
const RETRY_FOR_MS = 30_000;

/** The offsets topic's replicas did not answer in time. */
const REQUEST_TIMED_OUT = 7;

/**
 * OffsetCommit outside a transaction, checked against the generation by the coordinator. Some partitions may be
 * committed when others are refused.
 *
 * @throws BrokerError for the first partition refused: FencedInstanceIdError, AuthorizationError, one of Kafka's class
 * 'rejoin' when the generation is over; ConnectionError
 */
export async function commitOffsets(cluster: Cluster, clock: Clock, group: GroupOffsets): Promise<void> {
  const { groupId, generationId, memberId, groupInstanceId } = group.generation;
  const request = offsetCommit({
    groupId,
    generationId,
    memberId,
    groupInstanceId,
    topics: group.offsets.toTopics(),
  });
  const deadlineMs = clock.monotonicMs() + RETRY_FOR_MS;
  for (;;) {
    const response = await cluster.send(await cluster.coordinator("group", groupId), request);
    const refused = firstRefused(response, groupId);
    if (refused === null) return;
    if (!isPassing(refused.kafkaCode) || clock.monotonicMs() > deadlineMs) throw refused;
    cluster.forgetCoordinator("group", groupId);
    await clock.sleep(RETRY_MS);
  }
}

/** A refusal that stays goes before one that passes: repeating would end with it anyway. */
function firstRefused({ topics }: OffsetCommitResponse, groupId: string): BrokerError | null {
  let passing: BrokerError | null = null;
  for (const { topic, partitions } of topics) {
    for (const { partition, errorCode } of partitions) {
      if (errorCode === 0) continue;
      const error = brokerError({ api: "OffsetCommit", kafkaCode: errorCode, groupId, topic, partition });
      if (!isPassing(errorCode)) return error;
      passing ??= error;
    }
  }
  return passing;
}

function isPassing(code: number): boolean {
  return kafkaErrorClass(code) === "refind-coordinator" || code === REQUEST_TIMED_OUT;
}

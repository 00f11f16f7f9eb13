import type { TopicPartition } from "@eos/core";

/**
 * The fencing rule. Task scope: one id per input partition, the same for whoever owns it, so that a new owner's
 * InitProducerId ends the predecessor's transaction (KIP-98, as Kafka Streams' `exactly_once`).
 */
export function taskTransactionalId(applicationId: string, { topic, partition }: TopicPartition): string {
  return `${applicationId}-${applicationId}-${topic}-${partition}`;
}

/**
 * Process scope: one id per process, unique to it, as in `exactly_once_v2`. The group's generation fences; whose
 * transaction holds a partition's offset is kept in the offset's metadata.
 */
export function processTransactionalId(applicationId: string, processId: string): string {
  return `${applicationId}-${processId}`;
}

/** Only ids of this application are ever fenced: metadata is text that anybody may have written. */
export function belongsToApplication(applicationId: string, transactionalId: string): boolean {
  return transactionalId.startsWith(`${applicationId}-`);
}

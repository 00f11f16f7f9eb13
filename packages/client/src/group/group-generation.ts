/**
 * One generation of a consumer group as one member sees it. The object itself is the tag that fetched partitions
 * carry: offsets are committed with the generation *in which their records were fetched*, never with the one that is
 * current at commit time (KIP-447; the coordinator checks generation and member, not who owns the partition).
 */
export interface GroupGeneration {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

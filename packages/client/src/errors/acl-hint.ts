/** What a request was about, as far as permissions go. */
export interface KafkaResource {
  readonly topic?: string;
  readonly groupId?: string;
  readonly transactionalId?: string | null;
}

const TOPIC_OPERATIONS: { readonly [api: string]: string } = {
  Produce: "Write",
  AddPartitionsToTxn: "Write",
  Fetch: "Read",
  OffsetCommit: "Read",
  TxnOffsetCommit: "Read",
  CreateTopics: "Create",
  DeleteTopics: "Delete",
  CreatePartitions: "Alter",
  DescribeConfigs: "DescribeConfigs",
};

const CLUSTER_OPERATIONS: { readonly [api: string]: string } = {
  InitProducerId: "IdempotentWrite",
  CreateTopics: "Create",
};

/** Names the ACL that an authorisation error asks for; `undefined` for any other code. */
export function aclHint(kafkaCode: number, api: string, resource: KafkaResource): string | undefined {
  switch (kafkaCode) {
    case 29:
      return grant(TOPIC_OPERATIONS[api] ?? "Describe", "topic", resource.topic);
    case 30:
      return grant(api === "FindCoordinator" || api === "OffsetFetch" ? "Describe" : "Read", "group", resource.groupId);
    case 31:
      return grant(CLUSTER_OPERATIONS[api] ?? "ClusterAction", "cluster", "kafka-cluster");
    case 53:
      return grant(api === "FindCoordinator" ? "Describe" : "Write", "transactional-id", resource.transactionalId);
    default:
      return undefined;
  }
}

function grant(operation: string, resource: string, name: string | null | undefined): string {
  const named = resource === "cluster" ? "--cluster" : `--${resource} ${name ?? "<name>"}`;
  return `Grant it: kafka-acls --add --allow-principal User:<you> --operation ${operation} ${named}`;
}

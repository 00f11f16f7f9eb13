import { brokerError, UnknownTopicError } from "../errors/errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { type ConfigResource, describeConfigs, type DescribedConfig } from "../protocol/describe-configs.ts";

const UNKNOWN_TOPIC_OR_PARTITION = 3;

/** Every setting of a topic, the brokers' defaults included; `null` for what the broker keeps secret. */
export async function describeTopicConfig(cluster: Cluster, topic: string): Promise<Map<string, string | null>> {
  const configs = await describe(cluster, null, { type: "topic", name: topic, keys: null });
  return new Map(configs.map(({ name, value }) => [name, value]));
}

/** One setting of one broker; `undefined` when brokers have no such setting. */
export async function brokerConfig(cluster: Cluster, name: string): Promise<string | null | undefined> {
  if (cluster.controllerId < 0) await cluster.refreshMetadata();
  const nodeId = cluster.controllerId;
  const configs = await describe(cluster, nodeId, { type: "broker", name: String(nodeId), keys: [name] });
  return configs.find((config) => config.name === name)?.value;
}

/** A broker describes itself only; topics are described by any. */
async function describe(
  cluster: Cluster,
  nodeId: number | null,
  resource: ConfigResource,
): Promise<readonly DescribedConfig[]> {
  const request = describeConfigs([resource]);
  const { resources } = await (nodeId === null ? cluster.sendToAny(request) : cluster.send(nodeId, request));
  const { errorCode = -1, errorMessage = null, configs = [] } = resources[0] ?? {};
  if (errorCode === 0) return configs;
  if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) throw new UnknownTopicError(resource.name);
  throw brokerError({
    api: "DescribeConfigs",
    kafkaCode: errorCode,
    detail: errorMessage,
    ...(resource.type === "topic" ? { topic: resource.name } : {}),
  });
}

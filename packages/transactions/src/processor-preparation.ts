import os from "node:os";
import path from "node:path";
import { BrokerError, type Client, isConnectionLoss } from "@eos/client";
import { type Logger, systemClock } from "@eos/core";
import { PartitionCountMismatchError, TransactionTimeoutTooLargeError } from "./errors.ts";
import { PROCESSOR_DEFAULTS, type ProcessorOptions, resolveInputs, resolveOutputs } from "./options.ts";
import { settleAll } from "./settle-all.ts";

/**
 * What a processor checks and creates before it joins its group.
 *
 * @throws TransactionTimeoutTooLargeError, UnknownTopicError, PartitionCountMismatchError, and what a store's `prepare` throws
 */
export async function prepareProcessor<KI, VI, KO, VO>(
  options: ProcessorOptions<KI, VI, KO, VO>,
  client: Client,
  logger: Logger,
): Promise<void> {
  await checkTransactionTimeout(options, client);
  const { replicationFactor = PROCESSOR_DEFAULTS.replicationFactor } = options;
  for (const { topic, partitions } of resolveOutputs(options.output)) {
    if (partitions !== null) await client.admin.ensureTopics([{ topic, partitions, replicationFactor }]);
    else await client.admin.partitionCount(topic);
  }
  if (options.stores !== undefined && options.stores.length > 0) await prepareStores(options, client, logger);
}

async function checkTransactionTimeout<KI, VI, KO, VO>(
  options: ProcessorOptions<KI, VI, KO, VO>,
  client: Client,
): Promise<void> {
  const { transactionTimeoutMs = PROCESSOR_DEFAULTS.transactionTimeoutMs, processingGuarantee } = options;
  if (processingGuarantee === "at_least_once") return;
  let maxTimeoutMs: number;
  try {
    maxTimeoutMs = Number(await client.admin.brokerConfig("transaction.max.timeout.ms"));
  } catch (error) {
    // Describing brokers needs a permission that processing does not; InitProducerId will tell then.
    if (error instanceof BrokerError && !isConnectionLoss(error)) return;
    throw error;
  }
  if (transactionTimeoutMs > maxTimeoutMs) {
    throw new TransactionTimeoutTooLargeError(transactionTimeoutMs, maxTimeoutMs);
  }
}

/** Java's `CopartitionedTopicsEnforcer`: with equal counts the range assignor gives partition n of all inputs to one member. */
async function prepareStores<KI, VI, KO, VO>(
  options: ProcessorOptions<KI, VI, KO, VO>,
  client: Client,
  logger: Logger,
): Promise<void> {
  const { stores = [], applicationId, stateDir = path.join(os.tmpdir(), "eos") } = options;
  const { stateCleanupDelayMs = PROCESSOR_DEFAULTS.stateCleanupDelayMs } = options;
  const { replicationFactor = PROCESSOR_DEFAULTS.replicationFactor, clock = systemClock, observer = {} } = options;
  const counts = new Map<string, number>();
  for (const { topic } of resolveInputs(options.input)) counts.set(topic, await client.admin.partitionCount(topic));
  const [taskCount = 0, ...others] = counts.values();
  if (others.some((count) => count !== taskCount)) throw new PartitionCountMismatchError(Object.fromEntries(counts));
  const host = {
    applicationId,
    client,
    stateDir,
    stateCleanupDelayMs,
    taskCount,
    replicationFactor,
    clock,
    logger,
    observer,
  };
  await settleAll(stores.map(async (store) => store.prepare(host)));
}

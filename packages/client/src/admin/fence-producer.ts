import type { Clock } from "@eos/core";
import { brokerError, isConnectionLoss } from "../errors/errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { Patience } from "../network/patience.ts";
import { initProducerId } from "../protocol/init-producer-id.ts";

/** As in Java's `fenceProducers`: the timeout of the fence itself, since no transaction will follow. */
const TIMEOUT_MS = 30_000;

/**
 * Ends the open transaction of a transactional id, if it has one, and fences whoever holds the id. Repeated until it is
 * done: doing it twice changes nothing but the epoch.
 */
export async function fenceProducer(cluster: Cluster, clock: Clock, transactionalId: string): Promise<void> {
  const request = initProducerId({ transactionalId, transactionTimeoutMs: TIMEOUT_MS });
  const patience = new Patience(clock, TIMEOUT_MS);
  for (;;) {
    try {
      const { errorCode } = await cluster.send(await cluster.coordinator("transaction", transactionalId), request);
      if (errorCode === 0) return;
      const error = brokerError({ api: "InitProducerId", kafkaCode: errorCode, transactionalId });
      if (error.severity !== "retriable") throw error;
      if (error.kafkaClass === "refind-coordinator") cluster.forgetCoordinator("transaction", transactionalId);
      await patience.pause(error);
    } catch (error) {
      if (!(error instanceof Error) || !isConnectionLoss(error)) throw error;
      await patience.pause(error);
    }
  }
}

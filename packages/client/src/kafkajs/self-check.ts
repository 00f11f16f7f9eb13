import { EngineMismatchError, KAFKAJS_VERSION } from "../errors/errors.ts";
import type { KafkajsBroker, KafkajsCluster, KafkajsConnectionPool } from "./internals.ts";

type Shape = { readonly [member: string]: "function" | "object" | "string" | "number" };

const REQUEST_QUEUE: Shape = {
  push: "function",
  rejectAll: "function",
  maybeThrottle: "function",
  checkPendingRequests: "function",
  scheduleCheckPendingRequests: "function",
  pending: "object",
  throttledUntil: "number",
};
const CONNECTION: Shape = {
  requestQueue: "object",
  clientId: "string",
  sessionLifetime: "object",
  reauthenticationThreshold: "number",
  isConnected: "function",
  isAuthenticated: "function",
  authenticate: "function",
  disconnect: "function",
  nextCorrelationId: "function",
};

/** @throws EngineMismatchError for any version but the one whose sources were read. */
export function checkVersion(version: string): void {
  if (version !== KAFKAJS_VERSION) throw new EngineMismatchError(`version ${version}`);
}

/** The version says 2.2.4, but a fork or a patch may have changed what is used. @throws EngineMismatchError */
export function checkCluster(cluster: KafkajsCluster): void {
  checkShape("Cluster", cluster, { rootLogger: "object", connectionPoolBuilder: "object", brokerPool: "object" });
  checkShape("ConnectionPoolBuilder", cluster.connectionPoolBuilder, { build: "function" });
  checkShape("BrokerPool", cluster.brokerPool, { createBroker: "function" });
}

/** @throws EngineMismatchError */
export function checkBroker(pool: KafkajsConnectionPool, broker: KafkajsBroker): void {
  checkShape("ConnectionPool", pool, { pool: "object" });
  checkShape("Broker", broker, { connect: "function" });
  const connection = pool.pool[0];
  checkShape("Connection", connection, CONNECTION);
  checkShape("RequestQueue", connection?.requestQueue, REQUEST_QUEUE);
}

function checkShape(name: string, value: object | undefined, shape: Shape): void {
  for (const [member, type] of Object.entries(shape)) {
    const found = value === undefined ? "undefined" : typeof Reflect.get(value, member);
    if (found !== type) {
      throw new EngineMismatchError(`a changed ${KAFKAJS_VERSION} (${name}.${member} is ${found}, not ${type})`);
    }
  }
}

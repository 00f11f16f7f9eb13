import { describe, expect, test } from "vitest";
import { EngineMismatchError } from "../errors/errors.ts";
import { clusterFactory, loadKafkajs, type KafkajsCluster } from "./internals.ts";
import { checkBroker, checkCluster, checkVersion } from "./self-check.ts";

async function createParts() {
  const { module, version } = loadKafkajs();
  const cluster = clusterFactory(new module.Kafka({ brokers: [] }))?.({}) as KafkajsCluster;
  const pool = await cluster.connectionPoolBuilder.build({ host: "localhost", port: 1 });
  const broker = cluster.brokerPool.createBroker({ connectionPool: pool, logger: cluster.rootLogger });
  return { version, cluster, pool, broker };
}

describe("the check of kafkajs", () => {
  test("passes the version this package depends on", async () => {
    const { version, cluster, pool, broker } = await createParts();
    expect(() => checkVersion(version)).not.toThrow();
    expect(() => checkCluster(cluster)).not.toThrow();
    expect(() => checkBroker(pool, broker)).not.toThrow();
  });

  test("refuses any other version, and says how to get the right one", () => {
    expect(() => checkVersion("2.3.0")).toThrow(EngineMismatchError);
    expect(() => checkVersion("2.3.0")).toThrow("needs kafkajs 2.2.4, but found version 2.3.0");
    expect(new EngineMismatchError("x")).toMatchObject({
      code: "EOS_ENGINE_MISMATCH",
      severity: "fatal",
      hint: "npm i kafkajs@2.2.4",
    });
  });

  test("refuses a fork that calls itself the right version but has other internals", async () => {
    const { pool, broker } = await createParts();
    const connection = pool.pool[0];
    if (connection === undefined) throw new Error("no connection");
    Object.assign(connection.requestQueue, { rejectAll: undefined });
    expect(() => checkBroker(pool, broker)).toThrow("RequestQueue.rejectAll is undefined, not function");
  });
});

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Logger, silentLogger } from "@eos/core";
import { startKafka } from "@tooling/kafka";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { afterEach, describe, expect, test } from "vitest";
import { createAdmin } from "../src/admin/admin.ts";
import { isConnectionLoss } from "../src/errors/errors.ts";
import { Cluster } from "../src/network/cluster.ts";
import { type ClientOptions, resolveClientOptions } from "../src/options.ts";
import { apiVersions } from "../src/protocol/api-versions.ts";
import { fetch } from "../src/protocol/fetch.ts";
import { FIND_COORDINATOR } from "../src/protocol/apis.ts";
import { ByteWriter } from "../src/protocol/byte-writer.ts";
import { heartbeat } from "../src/protocol/heartbeat.ts";
import { FakeBroker } from "./fake-broker.ts";

const clusters: Cluster[] = [];

afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
});

async function connect(options: Partial<ClientOptions> = {}): Promise<Cluster> {
  const cluster = new Cluster(
    resolveClientOptions("createClient", { brokers: testBroker().brokers, logger: silentLogger, ...options }),
  );
  clusters.push(cluster);
  await cluster.connect();
  return cluster;
}

const ping = apiVersions({ name: "test", version: "0" });

function longPoll(topic: string, maxWaitMs: number) {
  return fetch({
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolation: "read_committed",
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, maxBytes: 1_000_000 }] }],
  });
}

describe("a cluster", () => {
  test("knows its brokers, its transaction version, and where a topic's leaders are", async () => {
    const cluster = await connect();
    expect(cluster.brokerCount).toBeGreaterThan(0);
    expect(cluster.transactionVersion).toBe(2);
    const topic = uniqueName("topic");
    await createAdmin(cluster, { logger: silentLogger }).createTopics([{ topic, partitions: 3 }]);
    const { partitions } = await cluster.topic(topic);
    expect(partitions.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    for (const { leader, isr } of partitions) expect(isr).toContain(leader);
    expect(cluster.cachedTopic(topic)?.partitions).toEqual(partitions);
  });

  test("says which topic does not exist, and does not create it", async () => {
    const cluster = await connect();
    const topic = uniqueName("missing");
    const failure = { code: "EOS_UNKNOWN_TOPIC", severity: "fatal", hint: expect.stringContaining(topic) };
    await expect(cluster.topic(topic)).rejects.toMatchObject(failure);
    await expect(cluster.topic(topic)).rejects.toMatchObject(failure);
    await expect(cluster.topic("no good!")).rejects.toMatchObject({ kafkaName: "INVALID_TOPIC_EXCEPTION" });
  });

  test("finds coordinators, also the first ones of a fresh broker", async () => {
    const cluster = await connect();
    const [group, transaction] = await Promise.all([
      cluster.coordinator("group", uniqueName("group")),
      cluster.coordinator("transaction", uniqueName("tx")),
    ]);
    expect((await cluster.send(group, ping)).errorCode).toBe(0);
    expect((await cluster.send(transaction, ping)).errorCode).toBe(0);
  });

  test("answers a heartbeat while a fetch is held back by the same broker", async () => {
    const cluster = await connect();
    const topic = uniqueName("topic");
    await createAdmin(cluster, { logger: silentLogger }).createTopics([{ topic, partitions: 1 }]);
    const { leader } = (await cluster.topic(topic)).partitions[0] ?? { leader: -1 };
    let fetched = false;
    const fetching = cluster.send(leader, longPoll(topic, 1_000), "fetch").then((response) => {
      fetched = true;
      return response;
    });
    const groupId = uniqueName("group");
    const coordinator = await cluster.coordinator("group", groupId);
    const beat = heartbeat({ groupId, generationId: 1, memberId: "nobody", groupInstanceId: null });
    const { errorCode } = await cluster.send(coordinator, beat);
    expect(fetched).toBe(false);
    expect(errorCode).toBe(25);
    expect((await fetching).topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 0 });
  });

  test("gives up what waits for a coordinator that is suspected, and connects to it again", async () => {
    const cluster = await connect();
    const topic = uniqueName("topic");
    await createAdmin(cluster, { logger: silentLogger }).createTopics([{ topic, partitions: 1 }]);
    const groupId = uniqueName("group");
    const coordinator = await cluster.coordinator("group", groupId);
    await cluster.send(coordinator, ping);
    const held = expect(cluster.send(coordinator, longPoll(topic, 30_000))).rejects.toMatchObject({
      code: "EOS_CONNECTION",
    });
    const startedAt = performance.now();
    cluster.suspectCoordinator("group", groupId);
    await held;
    expect(performance.now() - startedAt).toBeLessThan(500);
    // Once more changes nothing: there is neither a coordinator nor a connection to give up.
    cluster.suspectCoordinator("group", groupId);
    expect((await cluster.send(await cluster.coordinator("group", groupId), ping)).errorCode).toBe(0);
  });

  test("names the topics there are, without Kafka's own", async () => {
    const cluster = await connect();
    const topic = uniqueName("topic");
    await createAdmin(cluster, { logger: silentLogger }).createTopics([{ topic, partitions: 1 }]);
    await cluster.coordinator("group", uniqueName("group"));
    await expect.poll(() => cluster.topicNames(), { interval: 20 }).toContain(topic);
    expect((await cluster.topicNames()).filter((name) => name.startsWith("__"))).toEqual([]);
    expect(cluster.cachedTopic("__consumer_offsets")).toBeUndefined();
  });

  test("closes at once while a fetch is held back", async () => {
    const cluster = await connect();
    const topic = uniqueName("topic");
    await createAdmin(cluster, { logger: silentLogger }).createTopics([{ topic, partitions: 1 }]);
    const { leader } = (await cluster.topic(topic)).partitions[0] ?? { leader: -1 };
    await cluster.send(leader, longPoll(topic, 1), "fetch");
    const held = expect(cluster.send(leader, longPoll(topic, 30_000), "fetch")).rejects.toMatchObject({
      code: "EOS_CLIENT_CLOSED",
    });
    const startedAt = performance.now();
    await cluster.close();
    await held;
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe("a broker that is killed", () => {
  test(
    "loses what is in flight at once; the same address works again when it is back",
    { timeout: 90_000 },
    async () => {
      await using kafka = await startKafka({});
      const warnings: string[] = [];
      const logger: Logger = { ...silentLogger, warn: (_, message) => void warnings.push(message) };
      const cluster = await connect({ brokers: kafka.bootstrapServers.split(","), logger });
      const topic = uniqueName("topic");
      await createAdmin(cluster, { logger }).createTopics([{ topic, partitions: 1 }]);
      const { leader } = (await cluster.topic(topic)).partitions[0] ?? { leader: -1 };
      const groupId = uniqueName("group");
      await cluster.coordinator("group", groupId);
      await cluster.send(leader, longPoll(topic, 1), "fetch");

      const node = kafka.nodes[0];
      const held = expect(cluster.send(leader, longPoll(topic, 30_000), "fetch")).rejects.toMatchObject({
        code: "EOS_CONNECTION",
        severity: "retriable",
      });
      await node?.kill();
      await held;
      for (let attempt = 0; attempt < 5; attempt++) {
        await expect(cluster.send(leader, ping)).rejects.toMatchObject({ code: "EOS_CONNECTION" });
      }
      await expect(cluster.refreshMetadata([topic])).rejects.toMatchObject({ code: "EOS_CONNECTION" });
      expect(warnings).toEqual(["Broker cannot be reached"]);

      await node?.start();
      await sendUntilAnswered(cluster, leader);
      await cluster.refreshMetadata([topic]);
      expect((await cluster.topic(topic)).partitions).toHaveLength(1);
      expect((await cluster.send(await cluster.coordinator("group", groupId), ping)).errorCode).toBe(0);
    },
  );

  test("is left for one that lives, and its partitions for their new leaders", { timeout: 120_000 }, async () => {
    await using kafka = await startKafka({ nodes: 3 });
    const cluster = await connect({ brokers: kafka.bootstrapServers.split(",") });
    expect(cluster.brokerCount).toBe(3);
    const topic = uniqueName("topic");
    await createAdmin(cluster, { logger: silentLogger }).createTopics([{ topic, partitions: 3, replicationFactor: 3 }]);
    const leaders = new Set((await cluster.topic(topic)).partitions.map(({ leader }) => leader));
    expect(leaders.size).toBe(3);

    const victim = kafka.nodes[0];
    if (victim === undefined) throw new Error("no node");
    await cluster.send(victim.id, ping);
    await victim.kill();
    const deadline = performance.now() + 60_000;
    for (;;) {
      await cluster.refreshMetadata([topic]);
      const now = (await cluster.topic(topic)).partitions.map(({ leader }) => leader);
      if (!now.includes(victim.id) && !now.includes(-1)) break;
      expect(performance.now(), "leaders move").toBeLessThan(deadline);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const groupId = uniqueName("group");
    const coordinator = await cluster.coordinator("group", groupId);
    expect(coordinator).not.toBe(victim.id);
    expect((await cluster.send(coordinator, ping)).errorCode).toBe(0);
  });
});

describe("a broker that accepts connections and answers nothing", () => {
  test("is not waited for any longer once its coordinator is suspected", async () => {
    const silent = await FakeBroker.listen();
    const groupId = uniqueName("group");
    try {
      const cluster = await connect({ brokers: [silent.address] });
      const looking = cluster.coordinator("group", groupId);
      const { answer } = await silent.request(FIND_COORDINATOR.key);
      const other = await FakeBroker.listen();
      try {
        other.answersHandshake = false;
        const body = new ByteWriter().int32(0).int16(0).compactNullableString(null).int32(7);
        answer(body.compactString("127.0.0.1").int32(other.port).tags().finish());
        const sending = expect(cluster.send(await looking, ping)).rejects.toMatchObject({ code: "EOS_CONNECTION" });
        await expect.poll(() => other.sockets.size, { interval: 5 }).toBe(1);
        const startedAt = performance.now();
        cluster.suspectCoordinator("group", groupId);
        await sending;
        expect(performance.now() - startedAt).toBeLessThan(500);
      } finally {
        await other.close();
      }
    } finally {
      await silent.close();
    }
  });
});

describe("a process", () => {
  test("that only holds a connected client is asleep, and ends by itself after close()", async () => {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ["--conditions=@eos/source", "--import", "tsx", fileURLToPath(new URL("idle-client.ts", import.meta.url))],
      { env: { ...process.env, BROKERS: testBroker().bootstrapServers }, timeout: 30_000 },
    );
    expect(stderr).toBe("");
    const report = JSON.parse(stdout) as { wakeUps: number; seconds: number; resources: string[] };
    // Stock kafkajs: about 800 timer wake-ups a second and connection.
    expect(report.wakeUps / report.seconds).toBeLessThan(2);
    expect(report.resources).toEqual([]);
  });
});

async function sendUntilAnswered(cluster: Cluster, nodeId: number): Promise<void> {
  for (;;) {
    try {
      await cluster.send(nodeId, ping);
      return;
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
    }
  }
}

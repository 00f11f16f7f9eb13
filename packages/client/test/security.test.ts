import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Logger, silentLogger } from "@eos/core";
import { type KafkaCluster, startKafka } from "@tooling/kafka";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAdmin } from "../src/admin/admin.ts";
import { Cluster } from "../src/network/cluster.ts";
import { type ClientOptions, resolveClientOptions } from "../src/options.ts";
import { fetch } from "../src/protocol/fetch.ts";
import { initProducerId } from "../src/protocol/init-producer-id.ts";

const STORE_PASSWORD = "store-secret";
const PASSWORD = "alice-secret";

let folder: string;
let kafka: KafkaCluster;
let ca: string;
const address = { plain: "", sasl: "", saslTls: "" };
const topic = uniqueName("topic");

// One broker with a listener for each kind of security, and ACLs that allow its own user everything and alice nothing.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "eos-security-"));
  const keystore = join(folder, "broker.p12");
  await keytool("-genkeypair", keystore, "-keyalg", "EC", "-dname", "CN=localhost", "-ext", "SAN=dns:localhost");
  await keytool("-exportcert", keystore, "-rfc", "-file", join(folder, "broker.pem"));
  ca = await readFile(join(folder, "broker.pem"), "utf8");
  const [plain, sasl, saslTls, controller] = (await freePorts(4)) as [number, number, number, number];
  Object.assign(address, { plain: `127.0.0.1:${plain}`, sasl: `127.0.0.1:${sasl}`, saslTls: `localhost:${saslTls}` });
  kafka = await startKafka({
    ports: [plain],
    config: {
      listeners: `PLAINTEXT://127.0.0.1:${plain},SASL://127.0.0.1:${sasl},SASLTLS://127.0.0.1:${saslTls},CONTROLLER://127.0.0.1:${controller}`,
      "advertised.listeners": `PLAINTEXT://127.0.0.1:${plain},SASL://127.0.0.1:${sasl},SASLTLS://localhost:${saslTls}`,
      "controller.quorum.voters": `1@127.0.0.1:${controller}`,
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,SASLTLS:SASL_SSL",
      "sasl.enabled.mechanisms": "PLAIN",
      "listener.name.sasl.plain.sasl.jaas.config": jaas(),
      "listener.name.sasltls.plain.sasl.jaas.config": jaas(),
      "connections.max.reauth.ms": "1500",
      "ssl.keystore.location": keystore,
      "ssl.keystore.type": "PKCS12",
      "ssl.keystore.password": STORE_PASSWORD,
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
    },
  });
  const cluster = await connect({ brokers: [address.plain] });
  await createAdmin(cluster, { logger: silentLogger }).createTopics([{ topic, partitions: 1 }]);
  await cluster.close();
}, 60_000);

afterAll(async () => {
  await kafka?.stop();
  await rm(folder, { recursive: true, force: true });
});

function plain(username: string, password: string): NonNullable<ClientOptions["sasl"]> {
  return { mechanism: "plain", username, password };
}

async function connect(options: ClientOptions): Promise<Cluster> {
  const cluster = new Cluster(
    resolveClientOptions("createClient", { logger: silentLogger, connectionTimeoutMs: 3_000, ...options }),
  );
  try {
    await cluster.connect();
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

describe("credentials", () => {
  test("that are right let a client in, over TLS too, and neither the log nor the caller's options keep a trace", async () => {
    const log: string[] = [];
    const write = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`);
    const logger: Logger = { debug: write, info: write, warn: write, error: write };
    const sasl = plain("alice", PASSWORD);
    const cluster = await connect({ brokers: [address.saslTls], ssl: { ca: [ca] }, sasl, logger });
    expect(cluster.brokerCount).toBe(1);
    await cluster.close();
    expect(sasl).toEqual(plain("alice", PASSWORD));
    expect(log.length).toBeGreaterThan(0);
    expect(log.join("\n")).not.toContain(PASSWORD);
  });

  test("that are wrong are a fatal error that does not repeat the password", async () => {
    const options = { brokers: [address.sasl], sasl: plain("alice", "wrong-secret") };
    const failure: unknown = await connect(options).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: "AuthenticationError",
      code: "EOS_AUTHENTICATION",
      severity: "fatal",
      message: expect.stringContaining(address.sasl),
      hint: expect.stringContaining("sasl.mechanism"),
    });
    expect(String(failure)).not.toContain("wrong-secret");
  });

  test("in a mechanism that the broker does not have are a fatal error", async () => {
    const sasl = { mechanism: "scram-sha-512", username: "alice", password: PASSWORD } as const;
    await expect(connect({ brokers: [address.sasl], sasl })).rejects.toMatchObject({
      code: "EOS_AUTHENTICATION",
      message: expect.stringContaining("does not support the requested SASL mechanism"),
    });
  });

  test("are shown again when the broker ends the session, without losing a request", async () => {
    const cluster = await connect({ brokers: [address.sasl], sasl: plain("alice", PASSWORD) });
    const closeAt = performance.now() + 4_000;
    let answers = 0;
    // Several at a time, so that some are due while the session is renewed.
    while (performance.now() < closeAt) {
      await Promise.all(Array.from({ length: 5 }, () => cluster.refreshMetadata()));
      await Promise.all(Array.from({ length: 5 }, () => cluster.coordinator("group", "g").catch(expectNotAuthorized)));
      answers++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(answers).toBeGreaterThan(10);
    await cluster.close();
  });
});

describe("a listener that speaks another protocol", () => {
  test("TLS with an unknown CA is fatal, and the hint is ssl.ca", async () => {
    const options = { brokers: [address.saslTls], ssl: true, sasl: plain("alice", PASSWORD) };
    await expect(connect(options)).rejects.toMatchObject({
      code: "EOS_AUTHENTICATION",
      hint: expect.stringContaining("ssl.ca"),
    });
  });

  test("TLS under a name that the certificate does not carry is fatal", async () => {
    const brokers = [address.saslTls.replace("localhost", "127.0.0.1")];
    await expect(connect({ brokers, ssl: { ca: [ca] }, sasl: plain("alice", PASSWORD) })).rejects.toMatchObject({
      code: "EOS_AUTHENTICATION",
      hint: expect.stringContaining("name the certificate carries"),
    });
  });

  test("TLS to a plain listener, plain to a TLS listener, and no SASL where it is needed are each hinted at", async () => {
    const failures = await Promise.all(
      [{ brokers: [address.plain], ssl: true }, { brokers: [address.saslTls] }, { brokers: [address.sasl] }].map(
        (options) => connect(options).catch((error: unknown) => error),
      ),
    );
    for (const failure of failures) expect(failure).toMatchObject({ code: "EOS_CONNECTION", severity: "retriable" });
    expect(failures.map((failure) => (failure as { readonly hint?: string }).hint)).toEqual([
      expect.stringContaining("other ssl or sasl settings"),
      expect.stringContaining("expect TLS (ssl) or SASL (sasl)"),
      expect.stringContaining("expect TLS (ssl) or SASL (sasl)"),
    ]);
  });
});

describe("without permission", () => {
  test("each API says which ACL is missing", async () => {
    const cluster = await connect({ brokers: [address.sasl], sasl: plain("alice", PASSWORD) });
    const admin = createAdmin(cluster, { logger: silentLogger });
    const denied = (hint: string) => ({
      name: "AuthorizationError",
      code: "EOS_AUTHORIZATION",
      severity: "fatal",
      hint: expect.stringContaining(hint),
    });
    await expect(cluster.topic(topic)).rejects.toMatchObject(denied(`--operation Describe --topic ${topic}`));
    await expect(cluster.coordinator("group", "g")).rejects.toMatchObject(denied("--operation Describe --group g"));
    await expect(admin.fenceProducer("tx")).rejects.toMatchObject(denied("--transactional-id tx"));
    await expect(admin.createTopics([{ topic: uniqueName("t"), partitions: 1 }])).rejects.toMatchObject(
      denied("--operation Create --topic"),
    );
    await expect(admin.brokerConfig("log.retention.ms")).rejects.toMatchObject(denied("--cluster"));

    const fetched = await cluster.sendToAny(
      fetch({
        maxWaitMs: 1,
        minBytes: 1,
        maxBytes: 1_000,
        isolation: "read_committed",
        topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, maxBytes: 1_000 }] }],
      }),
    );
    expect(fetched.topics[0]?.partitions[0]).toMatchObject({ errorCode: 29 });
    const { errorCode } = await cluster.sendToAny(
      initProducerId({ transactionalId: "tx", transactionTimeoutMs: 1_000 }),
    );
    expect(errorCode).toBe(53);
    await cluster.close();
  });
});

function expectNotAuthorized(error: unknown): void {
  expect(error).toMatchObject({ code: "EOS_AUTHORIZATION" });
}

function jaas(): string {
  return `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="${PASSWORD}";`;
}

async function keytool(command: string, keystore: string, ...args: string[]): Promise<void> {
  const store = ["-keystore", keystore, "-storetype", "PKCS12", "-storepass", STORE_PASSWORD, "-alias", "broker"];
  await promisify(execFile)("keytool", [command, ...store, ...args]);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) server.close();
  return ports;
}

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { liveBrokers } from "../src/broker-probe.ts";
import { readCommitted, startKafka } from "../src/index.ts";
import { freePorts } from "../src/ports.ts";

let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "eos-kafka-test-"));
  vi.stubEnv("TMPDIR", temporary);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true });
});

async function createTopic(bootstrapServers: string, topic: string, messages: string[]): Promise<void> {
  const kafka = new Kafka({ brokers: bootstrapServers.split(","), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: messages.map((value) => ({ value })) });
  await producer.disconnect();
}

async function values(bootstrapServers: string, topic: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { value } of readCommitted({ bootstrapServers, topic })) found.push(String(value));
  return found;
}

test("One node is up within 15 s, keeps port and data over a kill and a clean stop, and leaves nothing.", async () => {
  const start = performance.now();
  await using kafka = await startKafka();
  expect(performance.now() - start).toBeLessThan(15_000);
  const [node] = kafka.nodes;
  expect(kafka.nodes).toHaveLength(1);
  expect(kafka.bootstrapServers).toBe(`127.0.0.1:${node?.port}`);
  await createTopic(kafka.bootstrapServers, "kept", ["a", "b"]);

  const firstPid = node?.pid;
  await node?.kill();
  expect(node?.pid).toBeUndefined();
  await expect(liveBrokers(kafka.bootstrapServers, 1_000)).rejects.toThrow(/ECONNREFUSED/);
  await node?.start();
  expect(node?.pid).not.toBe(firstPid);
  expect(await values(kafka.bootstrapServers, "kept")).toEqual(["a", "b"]);

  await node?.restart();
  expect(await values(kafka.bootstrapServers, "kept")).toEqual(["a", "b"]);
  expect(await readFile(node?.logFile as string, "utf8")).toMatch(/Kafka Server started/);

  const pid = node?.pid as number;
  await kafka.stop();
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  expect(await readdir(temporary)).toEqual([]);
});

test("A paused node keeps its port but answers nothing until it is resumed.", async () => {
  await using kafka = await startKafka();
  const [node] = kafka.nodes;
  node?.pause();
  await expect(liveBrokers(kafka.bootstrapServers, 500)).rejects.toThrow(/no answer within 500 ms|closed/);
  node?.resume();
  await expect(liveBrokers(kafka.bootstrapServers, 10_000)).resolves.toEqual([1]);
  node?.pause();
  await node?.stop();
  expect(node?.pid).toBeUndefined();
});

test("Three nodes know each other, lose one that is killed, and take it back.", async () => {
  await using kafka = await startKafka({ nodes: 3 });
  const known = async (): Promise<number[][]> =>
    Promise.all(
      kafka.nodes
        .filter(({ pid }) => pid !== undefined)
        .map(async ({ port }) =>
          (await liveBrokers(`127.0.0.1:${port}`, 2_000).catch((): number[] => [])).toSorted((a, b) => a - b),
        ),
    );
  expect(await known()).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
  ]);
  await kafka.nodes[1]?.kill();
  const withoutTheSecond = [
    [1, 3],
    [1, 3],
  ];
  await expect.poll(known, { timeout: 20_000 }).toEqual(withoutTheSecond);
  await kafka.nodes[1]?.start();
  await expect.poll(async () => (await known())[0], { timeout: 20_000 }).toEqual([1, 2, 3]);
});

test("A port that was asked for and is in use is an error that names it.", async () => {
  const [port] = (await freePorts(1)) as [number];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  try {
    await expect(startKafka({ ports: [port] })).rejects.toMatchObject({
      code: "EOS_PORT_IN_USE",
      message: `Port ${port} is in use.`,
    });
  } finally {
    server.close();
  }
  expect(await readdir(temporary)).toEqual([]);
});

test("A start that fails shows the end of the log, keeps it where asked to, and leaves nothing else.", async () => {
  const logDirectory = join(temporary, "logs");
  await expect(startKafka({ logDirectory, config: { "metric.reporters": "no.such.Reporter" } })).rejects.toMatchObject({
    code: "EOS_BROKER_START_FAILED",
    message: expect.stringMatching(/ended before it was ready.*node-1\.log:\n[^]*no\.such\.Reporter/),
  });
  expect(await readFile(join(logDirectory, "node-1.log"), "utf8")).toMatch(/no\.such\.Reporter/);
  expect(await readdir(temporary)).toEqual(expect.not.arrayContaining([expect.stringMatching(/^eos-kafka-/)]));
});

test("A wrong `config` value is an error that names it, before any broker is started.", async () => {
  await expect(startKafka({ config: { "num.io.threads": "none" } })).rejects.toMatchObject({
    code: "EOS_BROKER_START_FAILED",
    message: expect.stringMatching(/num\.io\.threads/),
  });
  expect(await readdir(temporary)).toEqual([]);
});

test("A node whose port was taken while it was down says so, and starts once the port is free.", async () => {
  await using kafka = await startKafka();
  const [node] = kafka.nodes;
  await node?.kill();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(node?.port, "127.0.0.1", resolve));
  await expect(node?.start()).rejects.toMatchObject({ code: "EOS_PORT_IN_USE" });
  await new Promise((resolve) => server.close(resolve));
  await node?.start();
  await expect(liveBrokers(kafka.bootstrapServers, 2_000)).resolves.toEqual([1]);
});

test("`config` wins over the launcher's settings, ports can be chosen, and `logDirectory` outlives the cluster.", async () => {
  const logDirectory = join(temporary, "logs");
  const [port] = (await freePorts(1)) as [number];
  const kafka = await startKafka({ logDirectory, ports: [port], config: { "num.partitions": "7" } });
  expect(kafka.bootstrapServers).toBe(`127.0.0.1:${port}`);
  const admin = new Kafka({ brokers: [kafka.bootstrapServers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "default-partitions" }], waitForLeaders: true });
  const { topics } = await admin.fetchTopicMetadata({ topics: ["default-partitions"] });
  expect(topics[0]?.partitions).toHaveLength(7);
  await admin.disconnect();
  await kafka.stop();
  expect(await readFile(join(logDirectory, "node-1.log"), "utf8")).toMatch(/Kafka Server started/);
  expect(await readdir(temporary)).toEqual(["logs"]);
});

import { type Admin, Kafka, logLevel, type Producer } from "kafkajs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CommittedRecord, readCommitted, resolveKafka, runKafkaTool } from "../src/index.ts";
import { testBroker, uniqueName } from "../src/testing.ts";

const PARTITIONS = 3;
const { bootstrapServers, brokers } = testBroker();
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 20 } });
let admin: Admin;
let producer: Producer;
let topic: string;

beforeEach(async () => {
  topic = uniqueName("read-committed");
  admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  producer = kafka.producer({ transactionalId: uniqueName("writer"), idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
});

afterEach(async () => {
  await producer.disconnect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
});

async function read(partitions?: number[]): Promise<CommittedRecord[]> {
  const found: CommittedRecord[] = [];
  const options = { bootstrapServers, topic, ...(partitions === undefined ? {} : { partitions }) };
  for await (const record of readCommitted(options)) found.push(record);
  return found;
}

const everywhere = (value: string): { value: string; partition: number }[] =>
  Array.from({ length: PARTITIONS }, (_, partition) => ({ value, partition }));

test("An empty topic has no records.", async () => {
  expect(await read()).toEqual([]);
});

test("Committed records come back byte by byte, aborted and open ones do not, and the end is found all the same.", async () => {
  const key = Buffer.from([0, 10, 31, 255]);
  const headers = { schlüssel: Buffer.from([1, 31, 10]), many: ["1", "2"], "eos-source": "in-0@7" };
  const committed = await producer.transaction();
  await committed.send({
    topic,
    messages: [{ key, value: Buffer.alloc(0), headers, partition: 1, timestamp: "12345" }],
  });
  await committed.send({ topic, messages: [{ key: "tombstone", value: null, partition: 1, timestamp: "1" }] });
  await committed.commit();
  for (let round = 0; round < 3; round++) {
    const aborted = await producer.transaction();
    await aborted.send({ topic, messages: everywhere("aborted") });
    await aborted.abort();
  }
  const open = await producer.transaction();
  await open.send({ topic, messages: everywhere("open") });

  const found = await read();
  expect(found.map((record) => ({ ...record, headers: { ...record.headers } }))).toEqual([
    {
      partition: 1,
      offset: 0,
      timestamp: 12_345,
      key,
      value: Buffer.alloc(0),
      headers: {
        schlüssel: Buffer.from([1, 31, 10]),
        many: [Buffer.from("1"), Buffer.from("2")],
        "eos-source": Buffer.from("in-0@7"),
      },
    },
    { partition: 1, offset: 1, timestamp: 1, key: Buffer.from("tombstone"), value: null, headers: {} },
  ]);
  await open.abort();
  expect(await read([0, 2])).toEqual([]);
});

test("Twenty thousand records in many transactions are all there, in order, and the reader's group is gone.", async () => {
  const count = 20_000;
  for (let start = 0; start < count; start += 2_000) {
    const transaction = await producer.transaction();
    const messages = Array.from({ length: 2_000 }, (_, index) => ({
      value: String(start + index),
      partition: index % PARTITIONS,
    }));
    await transaction.send({ topic, messages });
    await transaction.commit();
  }
  const found = await read();
  expect(found).toHaveLength(count);
  expect(new Set(found.map(({ value }) => String(value))).size).toBe(count);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const offsets = found.filter((record) => record.partition === partition).map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  }
  const { groups } = await admin.listGroups();
  expect(groups.filter(({ groupId }) => groupId.startsWith("eos-read-committed-"))).toEqual([]);
});

test("A reader that leaves early ends the consumer.", async () => {
  await producer.send({ topic, messages: everywhere("one") });
  for await (const { value } of readCommitted({ bootstrapServers, topic })) {
    expect(String(value)).toBe("one");
    break;
  }
  const { groups } = await admin.listGroups();
  expect(groups.filter(({ groupId }) => groupId.startsWith("eos-read-committed-"))).toEqual([]);
});

test("A topic that does not exist is an error once the time is up.", async () => {
  const missing = readCommitted({ bootstrapServers, topic: uniqueName("missing"), timeoutMs: 300 });
  await expect(missing.next()).rejects.toMatchObject({ code: "EOS_KAFKA_TOOL_FAILED" });
});

test("A tool's lines can be read, and its failure shows its own words.", async () => {
  const topics = await runKafkaTool("org.apache.kafka.tools.TopicCommand", ["--list"], { bootstrapServers });
  const names: string[] = [];
  for await (const line of topics.lines) names.push(line);
  await topics.ended;
  expect(names).toContain(topic);

  const wrong = await runKafkaTool("org.apache.kafka.tools.TopicCommand", ["--fly"], { bootstrapServers });
  wrong.stdout.resume();
  await expect(wrong.ended).rejects.toMatchObject({
    code: "EOS_KAFKA_TOOL_FAILED",
    message: expect.stringMatching(/exit code 1[^]*fly/),
  });
});

test("A cluster that KAFKA_BROKERS names is used as it is, and is still there after `stop`.", async ({
  onTestFinished,
}) => {
  const before = process.env["KAFKA_BROKERS"];
  process.env["KAFKA_BROKERS"] = bootstrapServers;
  onTestFinished(() => {
    if (before === undefined) delete process.env["KAFKA_BROKERS"];
    else process.env["KAFKA_BROKERS"] = before;
  });
  const resolved = await resolveKafka();
  expect(resolved).toMatchObject({ origin: "KAFKA_BROKERS", bootstrapServers });
  await resolved.stop();
  expect(await admin.listTopics()).toContain(topic);
});

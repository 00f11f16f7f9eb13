import type { Client } from "@eos/client";
import { type FetchedRecord, RecordCursor, RecordSource } from "@eos/client";
import { bytesSerde, formatTopicPartition, stringSerde, type TopicPartition } from "@eos/core";
import { readCommitted } from "@tooling/kafka";
import { checkHistory, type Anomaly, type History, type OutputRecord } from "@tooling/verify";

/** The topics of a copying application. */
export interface CopyTopics {
  readonly applicationId: string;
  readonly input: string;
  readonly output: string;
}

/** Shorter than any transaction timeout: a transaction that its timeout has to end is a mistake. */
const SETTLED_WITHIN_MS = 5_000;

/** What a copying run left behind, checked. */
export interface CopyResult {
  readonly inputs: number;
  readonly outputs: number;
  readonly anomalies: readonly Anomaly[];
  /** Outputs whose value is not their input's in upper case, as `<topic>-<partition>@<offset>`. */
  readonly wrongValues: readonly string[];
}

/** A record in the shape that both readers give. */
interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: Buffer | null;
  readonly source: string;
}

/** All partitions of a topic. */
export async function partitionsOf(client: Client, topic: string): Promise<TopicPartition[]> {
  const count = await client.admin.partitionCount(topic);
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }));
}

/** Resolves once the group has processed all of its input that is committed by now. */
export async function drained(client: Client, { applicationId, input }: CopyTopics, timeoutMs: number): Promise<void> {
  const partitions = await partitionsOf(client, input);
  const ends = await client.admin.listOffsets(partitions, "latest");
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const committed = await client.admin.committedOffsets(applicationId, partitions, { requireStable: false });
    const behind = ends.filter(
      ({ partition, offset }) =>
        offset > (committed.find((c) => c.partition === partition)?.offset ?? -1) && offset > 0,
    );
    if (behind.length === 0) return;
    if (Date.now() > deadline) {
      const list = behind.map(({ partition, offset }) => {
        const at = committed.find((c) => c.partition === partition)?.offset;
        return `${input}-${partition} at ${at} of ${offset}`;
      });
      throw new Error(`Not processed within ${timeoutMs} ms: ${list.join(", ")}`);
    }
    // The group's progress is the broker's to tell; there is no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Resolves once nothing in the topic is undecided any more: EndTxn is answered before its markers are everywhere.
 * @throws Error when a transaction is still open after a few seconds
 */
export async function settled(client: Client, topic: string): Promise<void> {
  const partitions = await partitionsOf(client, topic);
  const deadline = Date.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const stable = await client.admin.listOffsets(partitions, "latest", "read_committed");
    const ends = await client.admin.listOffsets(partitions, "latest", "read_uncommitted");
    const open = partitions.filter((_, index) => (stable[index]?.offset ?? 0) < (ends[index]?.offset ?? 0));
    if (open.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`A transaction is left open in ${open.map(formatTopicPartition).join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * Compares output with input, record by record. The reader is Kafka's own console consumer (`'stranger'`), or, where
 * that takes too long, this repository's.
 */
export async function checkCopy(
  client: Client,
  topics: CopyTopics,
  reader: { readonly stranger: string } | "own",
): Promise<CopyResult> {
  const { applicationId, input, output } = topics;
  await settled(client, output);
  const partitions = await partitionsOf(client, input);
  const values = new Map<string, string>();
  const offsets = new Map<number, number[]>(partitions.map(({ partition }) => [partition, []]));
  for (const record of await readOwn(client, input)) {
    values.set(`${input}-${record.partition}@${record.offset}`, String(record.value));
    (offsets.get(record.partition) as number[]).push(record.offset);
  }
  const outputs: OutputRecord[] = [];
  const wrongValues: string[] = [];
  const read = reader === "own" ? await readOwn(client, output) : await readStranger(reader.stranger, output);
  for (const { partition, offset, value, source } of read) {
    outputs.push({ topic: output, partition, offset, source });
    if (values.get(source)?.toUpperCase() !== String(value)) wrongValues.push(`${output}-${partition}@${offset}`);
  }
  const committed = await client.admin.committedOffsets(applicationId, partitions);
  const history: History = {
    inputs: partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      offsets: offsets.get(partition) as number[],
    })),
    outputs,
    committed,
  };
  return { inputs: values.size, outputs: outputs.length, anomalies: checkHistory(history), wrongValues };
}

async function readStranger(bootstrapServers: string, topic: string): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  for await (const { partition, offset, value, headers } of readCommitted({ bootstrapServers, topic })) {
    records.push({ partition, offset, value, source: String(headers["eos-source"]) });
  }
  return records;
}

async function readOwn(client: Client, topic: string): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  for (const { partition, offset, value, headers } of await readTopic(client, topic)) {
    records.push({ partition, offset, value, source: String(headers["eos-source"]) });
  }
  return records;
}

/** The committed records of a topic, partition by partition, read without a group. */
export async function readTopic(client: Client, topic: string): Promise<FetchedRecord<string, Buffer>[]> {
  const partitions = await partitionsOf(client, topic);
  const ends = await client.admin.listOffsets(partitions, "latest");
  const starts = await client.admin.listOffsets(partitions, "earliest");
  const cursor = new RecordCursor();
  const records: FetchedRecord<string, Buffer>[] = [];
  for (const [index, { partition }] of partitions.entries()) {
    const source = new RecordSource(topic, partition, stringSerde, bytesSerde);
    const from = starts[index]?.offset ?? 0;
    const to = ends[index]?.offset ?? 0;
    for await (const batch of client.readPartition({ topic, partition, from, to })) {
      cursor.open(batch, from);
      while (cursor.next()) {
        if (cursor.offset >= to) break;
        records.push(cursor.record(source));
      }
    }
  }
  return records;
}

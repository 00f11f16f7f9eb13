import { formatTopicPartition, type Headers, silentLogger, stringSerde, type TopicPartition } from "@eos/core";
import {
  type BatchProducer,
  type Client,
  type ClientOptions,
  createClient,
  type FetchedRecord,
  OffsetBatch,
  type GroupGeneration,
  type GroupOffsets,
  type PartitionReaderOptions,
  RecordAppender,
  RecordCursor,
  RecordSource,
} from "@eos/client";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { vi } from "vitest";

/** A connected client of ours on the shared broker. */
export async function connectClient(options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = createClient({ brokers: testBroker().brokers, logger: silentLogger, ...options });
  await client.connect();
  return client;
}

export async function createTopic(
  client: Client,
  { partitions = 1, config = {} }: { partitions?: number; config?: { [name: string]: string } } = {},
): Promise<string> {
  const topic = uniqueName("regression");
  await client.admin.createTopics([{ topic, partitions, config }]);
  return topic;
}

export interface TextRecord {
  readonly key?: string | null;
  readonly value: string | null;
  readonly headers?: Headers;
  readonly partition?: number;
}

/** Appends records, to partition 0 unless they say otherwise. They leave with the commit, or when their batch is full. */
export async function append(
  producer: BatchProducer,
  topic: string,
  ...records: (string | TextRecord)[]
): Promise<void> {
  const all = records.map((record) =>
    typeof record === "string" ? { value: record, partition: 0 } : { partition: 0, ...record },
  );
  await new RecordAppender(producer).append({ topic, records: all, key: stringSerde, value: stringSerde }, () => {});
}

/** A generation that no coordinator checks: that of a group without members. */
export function noGeneration(groupId: string): GroupGeneration {
  return { groupId, generationId: -1, memberId: "", groupInstanceId: null };
}

export function groupOffsets(generation: GroupGeneration, topic: string, offset: number): GroupOffsets[] {
  const offsets = new OffsetBatch();
  offsets.set(topic, 0, offset, "");
  return [{ generation, offsets }];
}

/** Whatever a partition (0 unless said otherwise) holds, read as text up to its end, once no transaction is open in it. */
export async function readRecords(
  client: Client,
  topic: string,
  options: Partial<PartitionReaderOptions> = {},
): Promise<FetchedRecord<string, string>[]> {
  const { partition = 0, isolation = "read_committed", from = 0, signal } = options;
  const to = await stableEnd(client, { topic, partition });
  const source = new RecordSource(topic, partition, stringSerde, stringSerde);
  const cursor = new RecordCursor();
  const records: FetchedRecord<string, string>[] = [];
  for await (const batch of client.readPartition({
    topic,
    partition,
    from,
    to,
    isolation,
    ...(signal === undefined ? {} : { signal }),
  })) {
    cursor.open(batch, from);
    while (cursor.next()) {
      records.push(cursor.record(source));
    }
  }
  return records;
}

/** EndTxn is answered before its markers are in the log, so the last stable offset comes up to the end a moment later. */
async function stableEnd(client: Client, partition: TopicPartition): Promise<number> {
  let end = -1;
  await vi.waitFor(
    async () => {
      const [[stable], [last]] = await Promise.all([
        client.admin.listOffsets([partition], "latest", "read_committed"),
        client.admin.listOffsets([partition], "latest", "read_uncommitted"),
      ]);
      if (stable === undefined || stable.offset !== last?.offset) {
        throw new Error(`a transaction is open in ${formatTopicPartition(partition)}`);
      }
      end = stable.offset;
    },
    { timeout: 20_000, interval: 10 },
  );
  return end;
}

export async function readValues(
  client: Client,
  topic: string,
  options: Partial<PartitionReaderOptions> = {},
): Promise<(string | null)[]> {
  return (await readRecords(client, topic, options)).map(({ value }) => value);
}

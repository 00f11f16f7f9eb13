// Plain consume: every key and value read as a string, offsets committed every 100 ms.
// Prints how many records and characters it read once `--records` have come.
import { createClient, OffsetBatch, RecordCursor, RecordSource } from "@eos/client";
import { stringSerde } from "@eos/core";
import { onTermination, readOptions } from "./command-line.mjs";

const COMMIT_MS = 100;
const { bootstrap, group, topic, records } = readOptions("bootstrap", "group", "topic", "records");
const client = createClient({ brokers: bootstrap.split(",") });
const cursor = new RecordCursor();
const offsets = new OffsetBatch();
let generation;
let read = 0;
let characters = 0;

function drain(queue) {
  const source = new RecordSource(topic, queue.partition, stringSerde, stringSerde);
  for (let batch = queue.shift(); batch !== null; batch = queue.shift()) {
    cursor.open(batch, 0);
    while (cursor.next()) {
      const record = cursor.record(source);
      characters += record.key.length + record.value.length;
      read++;
    }
    offsets.set(topic, queue.partition, batch.nextOffset, "");
    queue.release(batch);
  }
  if (read >= Number(records)) console.log(JSON.stringify({ records: read, characters }));
}

async function commit() {
  if (generation === undefined || offsets.isEmpty) return;
  const group = { generation, offsets: offsets.take() };
  await client.commitOffsets(group);
}

await client.connect();
const consumer = client.groupConsumer({
  groupId: group,
  topics: [topic],
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 3_000,
  rebalanceTimeoutMs: 60_000,
  observer: {},
  onFetched: (queue) => {
    drain(queue);
    consumer.wake();
  },
  onFetchError: (_queue, error) => {
    throw error;
  },
  onFatal: (error) => {
    throw error;
  },
  hooks: {
    onAssigned: async (partitions, current) => {
      generation = current;
      for (const partition of partitions) consumer.fetch(partition, 0, current);
    },
    onRevoked: commit,
    onLost: async () => undefined,
  },
});
const timer = setInterval(() => void commit(), COMMIT_MS);
onTermination(async () => {
  clearInterval(timer);
  await consumer.close();
  await client.close();
});
await consumer.start();

// The exactly-once copy on stock kafkajs, as correct as its API allows. `sendOffsets` cannot carry the generation
// (KIP-447), so each input partition has a transactional id of its own: the pre-2.5 way to fence a predecessor.
// A transaction is one fetched batch (at most about 1 MB a partition), sent in several calls: kafkajs makes one record
// batch of a call, and the whole would be larger than the broker's message.max.bytes.
import { connect, endOnCrash, onTermination, readOptions } from "./connection.mjs";

const RECORDS_A_CALL = 5_000;
const { bootstrap, group, input, output, serde, partitions } = readOptions(
  "group",
  "input",
  "output",
  "serde",
  "partitions",
);
const transform = serde === "json" ? raiseAmount : upperCase;
const kafka = connect(bootstrap);
const consumer = kafka.consumer({ groupId: group });
const producers = new Map();

function upperCase(value) {
  return value.toString().toUpperCase();
}

function raiseAmount(value) {
  const order = JSON.parse(value.toString());
  order.amount += 1;
  return JSON.stringify(order);
}

function copyRecord({ key, value, headers, timestamp }) {
  return { key, value: value === null ? null : transform(value), headers, timestamp };
}

function producerOf(partition) {
  let connecting = producers.get(partition);
  if (connecting === undefined) {
    const producer = kafka.producer({
      transactionalId: `${group}-${input}-${partition}`,
      idempotent: true,
      maxInFlightRequests: 1,
      // CONCURRENT_TRANSACTIONS is retried after this time: the default of 300 ms costs most of the rate.
      retry: { initialRetryTime: 20 },
    });
    connecting = producer.connect().then(() => producer);
    producers.set(partition, connecting);
  }
  return connecting;
}

async function copyBatch({ batch, heartbeat }) {
  const producer = await producerOf(batch.partition);
  const transaction = await producer.transaction();
  try {
    for (let start = 0; start < batch.messages.length; start += RECORDS_A_CALL) {
      const messages = batch.messages.slice(start, start + RECORDS_A_CALL).map(copyRecord);
      await transaction.send({ topic: output, acks: -1, messages });
    }
    await transaction.sendOffsets({
      consumerGroupId: group,
      topics: [
        {
          topic: batch.topic,
          partitions: [{ partition: batch.partition, offset: String(Number(batch.lastOffset()) + 1) }],
        },
      ],
    });
    await transaction.commit();
  } catch (error) {
    await transaction.abort();
    throw error;
  }
  await heartbeat();
}

onTermination(async () => {
  await consumer.disconnect();
  for (const connecting of producers.values()) await (await connecting).disconnect();
});
endOnCrash(consumer);
await consumer.connect();
await consumer.subscribe({ topic: input, fromBeginning: true });
await consumer.run({ autoCommit: false, partitionsConsumedConcurrently: Number(partitions), eachBatch: copyBatch });

// Plain produce: 500 records a call, acks all, idempotent, not transactional.
import { createProducer } from "@eos/client";
import { stringSerde } from "@eos/core";
import { readOptions } from "./command-line.mjs";

const BATCH = 500;
const { bootstrap, topic, records } = readOptions("bootstrap", "topic", "records");
const filler = "the quick brown fox jumps over the lazy dog and runs into the deep green wood until night falls ";
const producer = createProducer({ brokers: bootstrap.split(",") });
await producer.start();
for (let start = 0; start < Number(records); start += BATCH) {
  const batch = [];
  for (let i = start; i < Math.min(start + BATCH, Number(records)); i++) {
    batch.push({ key: `k${i % 1000}`, value: `record-${i}-${filler}`.slice(0, 90) });
  }
  await producer.send({ topic, key: stringSerde, value: stringSerde, records: batch });
}
await producer.close();

// Plain produce on stock kafkajs: 500 records a call, acks all, not transactional.
import { connect, readOptions } from "./connection.mjs";

const BATCH = 500;
const { bootstrap, topic, records } = readOptions("topic", "records");
const filler = "the quick brown fox jumps over the lazy dog and runs into the deep green wood until night falls ";
const producer = connect(bootstrap).producer();
await producer.connect();
for (let start = 0; start < Number(records); start += BATCH) {
  const messages = [];
  for (let i = start; i < Math.min(start + BATCH, Number(records)); i++) {
    messages.push({ key: `k${i % 1000}`, value: `record-${i}-${filler}`.slice(0, 90) });
  }
  await producer.send({ topic, acks: -1, messages });
}
await producer.disconnect();

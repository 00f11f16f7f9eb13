// Transactions of one record and one offset on stock kafkajs, one after the other, each timed.
import { connect, readOptions } from "./connection.mjs";

const UNTIMED = 20;
const { bootstrap, group, input, output, transactions } = readOptions("group", "input", "output", "transactions");
const producer = connect(bootstrap).producer({
  transactionalId: group,
  idempotent: true,
  maxInFlightRequests: 1,
  // As in copy.mjs.
  retry: { initialRetryTime: 20 },
});
await producer.connect();
const times = [];
for (let i = 0; i < UNTIMED + Number(transactions); i++) {
  const begin = performance.now();
  const transaction = await producer.transaction();
  await transaction.send({
    topic: output,
    acks: -1,
    messages: [{ key: `k${i}`, value: "x".repeat(90), partition: 0 }],
  });
  await transaction.sendOffsets({
    consumerGroupId: group,
    topics: [{ topic: input, partitions: [{ partition: 0, offset: String(i + 1) }] }],
  });
  await transaction.commit();
  if (i >= UNTIMED) times.push(performance.now() - begin);
}
await producer.disconnect();
times.sort((a, b) => a - b);
console.log(JSON.stringify({ p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] }));

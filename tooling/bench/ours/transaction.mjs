// Transactions of one record and one offset, one after the other. Prints the milliseconds from begin to committed.
import { stringSerde } from "@eos/core";
import { createTransactionalProducer } from "@eos/transactions";
import { readOptions } from "./command-line.mjs";

const WARM_UP = 20;
const { bootstrap, group, input, output, transactions } = readOptions(
  "bootstrap",
  "group",
  "input",
  "output",
  "transactions",
);
const producer = createTransactionalProducer({
  brokers: bootstrap.split(","),
  transactionalId: `${group}-transaction`,
});
await producer.start();
const generation = { groupId: group, generationId: -1, memberId: "", groupInstanceId: null };
const times = [];
for (let i = 0; i < WARM_UP + Number(transactions); i++) {
  const begin = performance.now();
  await producer.transaction(async (transaction) => {
    await transaction.send({
      topic: output,
      key: stringSerde,
      value: stringSerde,
      records: [{ key: `k${i}`, value: `record ${i}` }],
    });
    transaction.sendOffsets(generation, [{ topic: input, partition: 0, offset: 1 }]);
  });
  if (i >= WARM_UP) times.push(performance.now() - begin);
}
await producer.close();
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
console.log(JSON.stringify({ p50: at(0.5), p99: at(0.99) }));

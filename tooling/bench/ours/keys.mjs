// A handler of 1 ms through createConsumerGroup, `--concurrency` records at a time.
// Prints at its end how many records it has handled, and how many of them out of their order.
import { createConsumerGroup } from "@eos/consumer-groups";
import { stringSerde } from "@eos/core";
import { onTermination, readOptions } from "./command-line.mjs";
import { KeySequences } from "./key-sequences.mjs";
import { oneMillisecond } from "./one-millisecond.mjs";

const options = readOptions("bootstrap", "group", "topic", "ordering", "concurrency");
const sequences = new KeySequences();

const group = createConsumerGroup({
  brokers: options.bootstrap.split(","),
  groupId: options.group,
  topics: options.topic,
  value: stringSerde,
  ordering: options.ordering,
  concurrency: Number(options.concurrency),
  commit: { intervalMs: 100 },
  handler: async (record) => {
    const key = sequences.begin(record);
    await oneMillisecond();
    sequences.end(key);
  },
});
onTermination(async () => {
  await group.close();
  console.log(JSON.stringify({ records: sequences.ended, violations: sequences.violations }));
});
await group.start();
await group.finished;

// A group whose partitions are paused and resumed at random, every few milliseconds; a handler of 1 ms, so that the queues
// are full. Prints its memory every second after the warm-up, and at its end how many records it has handled, and how many
// of them out of their order.
import { createConsumerGroup } from "@eos/consumer-groups";
import { stringSerde } from "@eos/core";
import { onTermination, readOptions } from "./command-line.mjs";
import { KeySequences } from "./key-sequences.mjs";
import { oneMillisecond } from "./one-millisecond.mjs";

const MAX_PAUSE_MS = 5;
const CONCURRENCY = 8;
const { bootstrap, topic, ...options } = readOptions("bootstrap", "group", "topic", "partitions", "warmup-seconds");
const partitions = Array.from({ length: Number(options.partitions) }, (_, partition) => ({ topic, partition }));
const isPaused = partitions.map(() => false);
const sequences = new KeySequences();
let toggles = 0;

const group = createConsumerGroup({
  brokers: bootstrap.split(","),
  groupId: options.group,
  topics: topic,
  value: stringSerde,
  ordering: "key",
  concurrency: CONCURRENCY,
  commit: { intervalMs: 100 },
  handler: async (record) => {
    const key = sequences.begin(record);
    await oneMillisecond();
    sequences.end(key);
  },
});

function toggle() {
  const index = Math.floor(Math.random() * partitions.length);
  if (isPaused[index]) group.resume(partitions[index]);
  else group.pause(partitions[index]);
  isPaused[index] = !isPaused[index];
  toggles++;
  setTimeout(toggle, 1 + Math.random() * (MAX_PAUSE_MS - 1)).unref();
}

function sample() {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const atMs = performance.now();
  console.log(JSON.stringify({ atMs, rss, heapUsed, arrayBuffers, handled: sequences.ended }));
}

onTermination(async () => {
  await group.close();
  console.log(JSON.stringify({ records: sequences.ended, violations: sequences.violations, toggles }));
});
await group.start();
toggle();
setTimeout(() => setInterval(sample, 1_000).unref(), Number(options["warmup-seconds"]) * 1_000).unref();
await group.finished;

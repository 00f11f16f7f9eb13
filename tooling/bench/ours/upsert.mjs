// Puts every record of the input into a persistent store with a changelog, through createExactlyOnceProcessor. Prints
// "restoring" when a restore begins, what was restored once it runs, and at its end what the store holds.
import { setImmediate } from "node:timers/promises";
import { bytesSerde, stringSerde } from "@eos/core";
import { keyValueStore } from "@eos/state-store";
import { createExactlyOnceProcessor } from "@eos/transactions";
import { onTermination, readOptions } from "./command-line.mjs";
import { RestoreReport } from "./restore-report.mjs";
import { StoreDigest } from "./store-digest.mjs";

const { bootstrap, group, input, scope, ...rest } = readOptions(
  "bootstrap",
  "group",
  "input",
  "scope",
  "commit-interval-ms",
  "state-dir",
);
const report = new RestoreReport();
const store = keyValueStore({ name: "store", key: stringSerde, value: bytesSerde, restoreListener: report });

/** Of each partition of the input, the offset behind the last record put. */
const ends = [];

/** The broker has the offsets of a transaction a moment before the store has what it wrote. */
async function settled(partition) {
  const isBehind = ({ offset }) => offset < ends[partition];
  while (store.readOnly(partition).position.some(isBehind)) await setImmediate();
}

async function printContents() {
  const digest = new StoreDigest();
  for (const partition of store.partitions) {
    await settled(partition);
    for await (const { key, value } of store.readOnly(partition).store.all()) digest.add(key, value);
  }
  console.log(digest.json());
}

const processor = createExactlyOnceProcessor({
  applicationId: group,
  brokers: bootstrap.split(","),
  input: { topic: input, key: stringSerde, value: bytesSerde },
  stores: [store],
  stateDir: rest["state-dir"],
  replicationFactor: 1,
  transform: (record, context) => {
    context.getStateStore(store).put(record.key, record.value);
    ends[record.partition] = record.offset + 1;
  },
  producerScope: scope,
  commitIntervalMs: Number(rest["commit-interval-ms"]),
  onStateChange: (next) => {
    if (next === "RUNNING") report.print();
  },
});
onTermination(async () => {
  await printContents();
  await processor.close();
});
await processor.start();
await processor.finished;

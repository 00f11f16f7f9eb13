// The exactly-once copy through createExactlyOnceProcessor, from the built packages, as a user would run it.
import { jsonSerde, stringSerde } from "@eos/core";
import { createExactlyOnceProcessor } from "@eos/transactions";
import { onTermination, readOptions } from "./command-line.mjs";

const { bootstrap, group, input, output, serde, scope, ...rest } = readOptions(
  "bootstrap",
  "group",
  "input",
  "output",
  "serde",
  "scope",
  "commit-interval-ms",
);
const value = serde === "json" ? jsonSerde() : stringSerde;

function upperCase(record) {
  return { value: record.value.toUpperCase() };
}

function raiseAmount(record) {
  const order = record.value;
  order.amount += 1;
  return { value: order };
}

const processor = createExactlyOnceProcessor({
  applicationId: group,
  brokers: bootstrap.split(","),
  input: { topic: input, value },
  output: { topic: output, value },
  transform: serde === "json" ? raiseAmount : upperCase,
  producerScope: scope,
  commitIntervalMs: Number(rest["commit-interval-ms"]),
});
onTermination(() => processor.close());
await processor.start();
await processor.finished;

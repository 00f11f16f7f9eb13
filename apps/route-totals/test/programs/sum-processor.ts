import { parseArgs } from "node:util";
import { createConsoleLogger, createHeaders, int64Serde, stringSerde } from "@eos/core";
import { createExactlyOnceProcessor } from "@eos/transactions";
import { FaultInjector } from "@tooling/faults";
import { sumStore } from "../sum-store.ts";

// Adds each amount to the sum of its key and writes that sum, with the input record it is of in the header `eos-source`.
// What happens is reported on stdout, one JSON object a line; SIGTERM closes cleanly.

const { values: flags } = parseArgs({
  options: {
    brokers: { type: "string", default: "127.0.0.1:9092" },
    "application-id": { type: "string", default: "sums" },
    input: { type: "string", default: "input" },
    output: { type: "string", default: "output" },
    "state-dir": { type: "string", default: "state" },
    "producer-scope": { type: "string", default: "process" },
    "commit-interval-ms": { type: "string", default: "100" },
    "session-timeout-ms": { type: "string", default: "10000" },
    "heartbeat-interval-ms": { type: "string", default: "500" },
    "max-batch-bytes": { type: "string", default: "1048576" },
    "end-txn-delay-ms": { type: "string", default: "0" },
  },
});

function report(event: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ event, atMs: Date.now(), ...fields })}\n`);
}

const faults = new FaultInjector();
const endTxnDelayMs = Number(flags["end-txn-delay-ms"]);

/** A commit takes longer on its way to the broker, so that more kills fall between its beginning and its end. */
function delayNextEndTxn(): void {
  const held = faults.arm({ api: "EndTxn", on: "request", action: "hold" });
  void held.struck.then(() => {
    delayNextEndTxn();
    setTimeout(() => void held.release().catch(() => undefined), endTxnDelayMs);
  });
}
if (endTxnDelayMs > 0) delayNextEndTxn();

const sums = sumStore({
  onRestoreEnd: ({ topicPartition: { partition }, startingOffset, totalRestored }) =>
    report("restored", { partition, startingOffset, totalRestored }),
});

const processor = createExactlyOnceProcessor<string, number>({
  brokers: flags.brokers.split(","),
  applicationId: flags["application-id"],
  clientId: `sum-${process.pid}`,
  socketFactory: faults.socketFactory,
  input: { topic: flags.input, key: stringSerde, value: int64Serde },
  output: { topic: flags.output, key: stringSerde, value: int64Serde },
  stores: [sums],
  stateDir: flags["state-dir"],
  producerScope: flags["producer-scope"] as "process" | "task",
  commitIntervalMs: Number(flags["commit-interval-ms"]),
  sessionTimeoutMs: Number(flags["session-timeout-ms"]),
  heartbeatIntervalMs: Number(flags["heartbeat-interval-ms"]),
  maxBatchBytes: Number(flags["max-batch-bytes"]),
  logger: createConsoleLogger({ level: "warn" }),
  transform({ topic, partition, offset, key, value }, context) {
    const store = context.getStateStore(sums);
    const sum = (store.get(String(key)) ?? 0) + (value ?? 0);
    store.put(String(key), sum);
    return { key, value: sum, headers: createHeaders({ "eos-source": `${topic}-${partition}@${offset}` }) };
  },
  onStateChange: (next, previous) => report("state", { next, previous }),
  onFenced: ({ message }) => report("fenced", { message }),
  onInvalidEpoch: ({ message }) => report("fenced", { message }),
  observer: {
    transactionCommitted: ({ transactionalId, records }) => report("committed", { transactionalId, records }),
    transactionAborted: ({ transactionalId, cause }) => report("aborted", { transactionalId, cause }),
    rebalanced: ({ generationId, assigned }) =>
      report("rebalanced", { generationId, assigned: assigned.map(({ partition }) => partition) }),
  },
});

process.once("SIGTERM", () => void processor.close());
processor.finished.then(
  () => process.exit(0),
  (error: unknown) => {
    report("failed", { message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
await processor.start().catch(() => undefined);

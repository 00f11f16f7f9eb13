import { parseArgs } from "node:util";
import { createConsoleLogger, createHeaders, stringSerde } from "@eos/core";
import { createExactlyOnceProcessor, type ProcessorOptions } from "@eos/transactions";
import { SumStore } from "../sum-store.ts";

// Copies values in upper case and says in the header `eos-source` which input record each output comes from; with a
// store also in `eos-count` how many records of its key there were. What happens is reported on stdout, one JSON object a
// line; SIGTERM closes cleanly.

const { values: flags } = parseArgs({
  options: {
    brokers: { type: "string", default: "127.0.0.1:9092" },
    "application-id": { type: "string", default: "copy" },
    input: { type: "string", default: "input" },
    output: { type: "string", default: "output" },
    "producer-scope": { type: "string", default: "process" },
    guarantee: { type: "string", default: "exactly_once_v2" },
    "commit-interval-ms": { type: "string", default: "100" },
    "transaction-timeout-ms": { type: "string", default: "10000" },
    "session-timeout-ms": { type: "string", default: "10000" },
    "heartbeat-interval-ms": { type: "string", default: "500" },
    "max-batch-bytes": { type: "string", default: "1048576" },
    store: { type: "string" },
  },
});

function report(event: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ event, atMs: Date.now(), ...fields })}\n`);
}

const store = flags.store === undefined ? null : new SumStore(flags.store);

const processor = createExactlyOnceProcessor<string, string>({
  brokers: flags.brokers.split(","),
  applicationId: flags["application-id"],
  clientId: `copy-${process.pid}`,
  input: { topic: flags.input, key: stringSerde, value: stringSerde },
  output: { topic: flags.output, key: stringSerde, value: stringSerde },
  producerScope: flags["producer-scope"] as NonNullable<
    ProcessorOptions<string, string, string, string>["producerScope"]
  >,
  processingGuarantee: flags.guarantee as "exactly_once_v2" | "at_least_once",
  commitIntervalMs: Number(flags["commit-interval-ms"]),
  transactionTimeoutMs: Number(flags["transaction-timeout-ms"]),
  sessionTimeoutMs: Number(flags["session-timeout-ms"]),
  heartbeatIntervalMs: Number(flags["heartbeat-interval-ms"]),
  maxBatchBytes: Number(flags["max-batch-bytes"]),
  logger: createConsoleLogger({ level: "warn" }),
  stores: store === null ? [] : [store],
  transform: (record, context) => {
    const { topic, partition, offset, key, value } = record;
    const headers = createHeaders({ "eos-source": `${topic}-${partition}@${offset}` });
    if (store !== null) headers["eos-count"] = Buffer.from(String(context.getStateStore(store).add(String(key), 1)));
    return { value: value === null ? null : value.toUpperCase(), headers: Object.assign(headers, record.headers) };
  },
  onStateChange: (next, previous) => report("state", { next, previous }),
  onFenced: ({ message }) => report("fenced", { message }),
  onInvalidEpoch: ({ message }) => report("fenced", { message }),
  observer: {
    transactionCommitted: ({ transactionalId, records, durationMs }) =>
      report("committed", { transactionalId, records, durationMs }),
    transactionAborted: ({ transactionalId, cause }) => report("aborted", { transactionalId, cause }),
    producerReinitialised: ({ transactionalId, cause }) => report("reinitialised", { transactionalId, cause }),
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

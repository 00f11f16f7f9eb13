import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type CommitMode, type ConsumerGroupOptions, createConsumerGroup } from "@eos/consumer-groups";
import { createConsoleLogger, stringSerde } from "@eos/core";

// Handles the records of a topic, each for a while. What happens is reported on stdout, one JSON object a line; SIGTERM
// closes cleanly.

const { values: flags } = parseArgs({
  options: {
    brokers: { type: "string", default: "127.0.0.1:9092" },
    "group-id": { type: "string", default: "group" },
    topic: { type: "string", default: "topic" },
    handler: { type: "string", default: "record" },
    "handler-ms": { type: "string", default: "5" },
    ordering: { type: "string", default: "partition" },
    commit: { type: "string", default: "batch" },
    "session-timeout-ms": { type: "string", default: "10000" },
    "heartbeat-interval-ms": { type: "string", default: "200" },
  },
});

function report(event: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ event, atMs: Date.now(), ...fields })}\n`);
}

const partitionsOf = (partitions: readonly { readonly partition: number }[]): number[] =>
  partitions.map(({ partition }) => partition);

const handlerMs = Number(flags["handler-ms"]);
const handling: Pick<ConsumerGroupOptions<string, string>, "handler" | "batchHandler"> = flags.handler === "batch"
  ? {
      batchHandler: async ({ partition, records }) => {
        for (const { offset } of records) report("handling", { partition, offset });
        await sleep(handlerMs);
        for (const { offset } of records) report("handled", { partition, offset });
      },
    }
  : {
      handler: async ({ partition, offset }) => {
        report("handling", { partition, offset });
        await sleep(handlerMs);
        report("handled", { partition, offset });
      },
    };

const group = createConsumerGroup<string, string>({
  brokers: flags.brokers.split(","),
  groupId: flags["group-id"],
  topics: flags.topic,
  key: stringSerde,
  value: stringSerde,
  ordering: flags.ordering as "partition" | "key" | "unordered",
  commit: (flags.commit.startsWith("{") ? JSON.parse(flags.commit) : flags.commit) as CommitMode,
  ...(flags.handler === "batch" ? { maxBatchRecords: 50 } : {}),
  sessionTimeoutMs: Number(flags["session-timeout-ms"]),
  heartbeatIntervalMs: Number(flags["heartbeat-interval-ms"]),
  logger: createConsoleLogger({ level: "warn" }),
  ...handling,
  onStateChange: (next) => report("state", { next }),
  onAssigned: (partitions) => report("assigned", { partitions: partitionsOf(partitions) }),
  onRevoked: (partitions) => report("revoked", { partitions: partitionsOf(partitions) }),
  onLost: (partitions) => report("lost", { partitions: partitionsOf(partitions) }),
  observer: {
    commitRefused: ({ partitions, generationId }) =>
      report("refused", { partitions: partitionsOf(partitions), generationId }),
  },
});

process.once("SIGTERM", () => void group.close());
group.finished.then(
  () => process.exit(0),
  (error: unknown) => {
    report("failed", { message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
await group.start().catch(() => undefined);

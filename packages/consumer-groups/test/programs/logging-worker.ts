import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createConsumerGroup, stickyAssignor } from "@eos/consumer-groups";
import { createConsoleLogger, stringSerde } from "@eos/core";

// Handles records whose value counts up per key, and writes down when it begins and ends with each: one line of text
// each, out of the process before the handler goes on, so that a kill takes nothing back. What happens to the group is
// reported on stdout, one JSON object a line. SIGUSR1 adds a member, SIGUSR2 takes one away, SIGTERM closes cleanly.

const { values: flags } = parseArgs({
  options: {
    brokers: { type: "string", default: "127.0.0.1:9092" },
    "group-id": { type: "string", default: "logging" },
    topic: { type: "string", default: "input" },
    log: { type: "string", default: "handled.log" },
    members: { type: "string", default: "1" },
    ordering: { type: "string", default: "key" },
    concurrency: { type: "string", default: "16" },
    "session-timeout-ms": { type: "string", default: "3000" },
  },
});

const MAX_DELAY_MS = 4;
const log = openSync(flags.log, "a");

/** The machine's monotonic clock in nanoseconds: the same in all processes. */
function writeDown(what: "begin" | "end", key: string, number: string): void {
  writeSync(log, `${what} ${key} ${number} ${process.hrtime.bigint()}\n`);
}

function report(event: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ event, atMs: Date.now(), ...fields })}\n`);
}

const group = createConsumerGroup<string, string>({
  brokers: flags.brokers.split(","),
  clientId: `logging-${process.pid}`,
  groupId: flags["group-id"],
  topics: flags.topic,
  key: stringSerde,
  value: stringSerde,
  members: Number(flags.members),
  ordering: flags.ordering as "partition" | "key" | "unordered",
  concurrency: Number(flags.concurrency),
  assignors: [stickyAssignor],
  commit: { intervalMs: 200 },
  sessionTimeoutMs: Number(flags["session-timeout-ms"]),
  heartbeatIntervalMs: 300,
  rebalanceTimeoutMs: 10_000,
  logger: createConsoleLogger({ level: "error" }),
  async handler({ key, value }) {
    if (key === null || value === null) throw new TypeError("the input has keys and values");
    writeDown("begin", key, value);
    await sleep(Math.random() * MAX_DELAY_MS);
    writeDown("end", key, value);
  },
  onStateChange: (next, previous) => report("state", { next, previous }),
  onLost: (partitions, error) => report("lost", { partitions: partitions.length, message: error.message }),
  observer: {
    rebalanced: ({ generationId, durationMs, assigned }) =>
      report("rebalanced", { generationId, durationMs, assigned: assigned.length }),
    commitRefused: ({ generationId }) => report("refused", { generationId }),
    memberFailed: ({ error }) => report("member-failed", { message: error.message }),
  },
});

let members = Number(flags.members);
const scale = (by: number): void => {
  members = Math.max(1, members + by);
  group.scale(members).catch(() => undefined);
};
process.on("SIGUSR1", () => scale(1));
process.on("SIGUSR2", () => scale(-1));
process.once("SIGTERM", () => void group.close());
group.finished.then(
  () => process.exit(0),
  (error: unknown) => {
    report("failed", { message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
await group.start().catch(() => undefined);

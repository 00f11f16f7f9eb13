import { parseArgs } from "node:util";
import type { Job, Settings } from "./job.ts";
import { consumeJob } from "./jobs/consume.ts";
import { copyJob } from "./jobs/copy.ts";
import { idleJob } from "./jobs/idle.ts";
import { latencyJob } from "./jobs/latency.ts";
import { produceJob } from "./jobs/produce.ts";
import { transactionJob } from "./jobs/transaction.ts";
import { rivals } from "./rivals.ts";
import type { Rival } from "./rival.ts";

export const USAGE = `Usage: pnpm --filter @tooling/bench bench <job> [options]

Jobs
  copy         exactly-once copy at full speed
  produce      plain produce
  consume      plain consume
  latency      time from send to read-committed arrival behind a copy, at a steady rate
  idle         what a copy without input costs
  transaction  time of a transaction of one record

Options
  --rivals a,b          who takes part; the first is compared with the others (${[...rivals.keys()].join(", ")})
  --rounds 3            measured rounds after the discarded warm-up
  --records 1000000     copy, produce, consume
  --warmup-records n    copy, produce, consume: default 500000, at most --records
  --partitions 4        of every topic
  --serde string|json   copy, consume, latency, idle
  --commit-interval-ms 100
  --rate 1000           latency: records a second
  --seconds 30          latency, idle: how long is measured
  --warmup-seconds 10   latency: how long it runs before that
  --transactions 500    transaction
  --help`;

const jobs: ReadonlyMap<string, Job> = new Map([
  ["copy", copyJob],
  ["produce", produceJob],
  ["consume", consumeJob],
  ["latency", latencyJob],
  ["idle", idleJob],
  ["transaction", transactionJob],
]);

/** What was asked for. */
export interface Command {
  readonly name: string;
  readonly job: Job;
  readonly rivals: readonly Rival[];
  readonly rounds: number;
  readonly settings: Settings;
}

/** A command line that cannot be understood. */
export class UsageError extends Error {}

/** Reads the arguments behind the program's name; undefined means that help was asked for. @throws UsageError */
export function readCommand(args: readonly string[]): Command | undefined {
  const { values, positionals } = parse(args);
  if (values.help === true) return undefined;
  const [name, ...rest] = positionals;
  const job = name === undefined ? undefined : jobs.get(name);
  if (name === undefined || job === undefined || rest.length > 0) {
    throw new UsageError(
      `one job of ${[...jobs.keys()].join(", ")} was expected, got ${positionals.join(" ") || "none"}`,
    );
  }
  const records = count("records", values.records);
  return {
    name,
    job,
    rivals: values.rivals.split(",").map(rivalNamed),
    rounds: count("rounds", values.rounds),
    settings: {
      records,
      warmupRecords: Math.min(records, count("warmup-records", values["warmup-records"])),
      partitions: count("partitions", values.partitions),
      serde: serdeNamed(values.serde),
      commitIntervalMs: count("commit-interval-ms", values["commit-interval-ms"], 0),
      rate: count("rate", values.rate),
      seconds: count("seconds", values.seconds),
      warmupSeconds: count("warmup-seconds", values["warmup-seconds"], 0),
      transactions: count("transactions", values.transactions),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rivals: { type: "string", default: [...rivals.keys()].join(",") },
        rounds: { type: "string", default: "3" },
        records: { type: "string", default: "1000000" },
        "warmup-records": { type: "string", default: "500000" },
        partitions: { type: "string", default: "4" },
        serde: { type: "string", default: "string" },
        "commit-interval-ms": { type: "string", default: "100" },
        rate: { type: "string", default: "1000" },
        seconds: { type: "string", default: "30" },
        "warmup-seconds": { type: "string", default: "10" },
        transactions: { type: "string", default: "500" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function count(name: string, text: string, least = 1): number {
  const value = Number(text);
  if (text === "" || !Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`--${name} must be a whole number from ${least} on, got ${JSON.stringify(text)}`);
  }
  return value;
}

function serdeNamed(name: string): "string" | "json" {
  if (name !== "string" && name !== "json")
    throw new UsageError(`--serde must be string or json, got ${JSON.stringify(name)}`);
  return name;
}

function rivalNamed(name: string): Rival {
  const rival = rivals.get(name);
  if (rival === undefined)
    throw new UsageError(`--rivals knows ${[...rivals.keys()].join(", ")}, not ${JSON.stringify(name)}`);
  return rival;
}

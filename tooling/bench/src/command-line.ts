import { parseArgs } from "node:util";
import type { Job, Settings } from "./job.ts";
import { consumeJob } from "./jobs/consume.ts";
import { copyJob } from "./jobs/copy.ts";
import { idleJob } from "./jobs/idle.ts";
import { keysJob } from "./jobs/keys.ts";
import { latencyJob } from "./jobs/latency.ts";
import { pauseMemoryJob } from "./jobs/pause-memory.ts";
import { produceJob } from "./jobs/produce.ts";
import { rebalanceJob } from "./jobs/rebalance.ts";
import { transactionJob } from "./jobs/transaction.ts";
import { upsertJob } from "./jobs/upsert.ts";
import { restoreJob } from "./jobs/restore.ts";
import { storeMicroJob } from "./jobs/store-micro.ts";
import { storeOpenJob } from "./jobs/store-open.ts";
import { rivals } from "./rivals.ts";
import type { Rival } from "./rival.ts";

export const USAGE = `Usage: pnpm --filter @tooling/bench bench <job> [options]

Jobs
  copy          exactly-once copy at full speed
  produce       plain produce
  consume       plain consume
  latency       time from send to read-committed arrival behind a copy, at a steady rate
  idle          what a copy without input costs
  transaction   time of a transaction of one record
  keys          records of 1,000 keys through a handler of 1 ms
  rebalance     how long members stand still when another one joins or leaves
  pause-memory  memory of a group whose partitions are paused and resumed all the time
  upsert        records of a key each into a store with a changelog, exactly once
  restore       that store from its changelog
  store-open    that store opened again after kill -9
  store-micro   calls of a store on its own

Options
  --rivals a,b          who takes part; the first is compared with the others
                        (${[...rivals.keys()].join(", ")})
  --rounds n            measured rounds after the discarded warm-up: default 3; rebalance, pause-memory, store-micro: 1
  --records 1000000     copy, produce, consume, keys, upsert, restore, store-open; pause-memory: before it starts;
                        store-micro: 10000000
  --warmup-records n    copy, produce, consume, keys, upsert: default 500000, at most --records
  --partitions n        of every topic: default 4; rebalance: 100
  --serde string|json   copy, consume, latency, idle
  --commit-interval-ms 100
  --rate n              records a second: latency 1000, rebalance 500, pause-memory and store-open 10000
  --seconds n           how long is measured: latency, idle 30; pause-memory 600
  --warmup-seconds n    how long it runs before that: latency 10, pause-memory 60
  --transactions 500    transaction
  --visits 20           rebalance: how often the other member joins and leaves
  --help`;

const jobs: ReadonlyMap<string, Job> = new Map([
  ["copy", copyJob],
  ["produce", produceJob],
  ["consume", consumeJob],
  ["latency", latencyJob],
  ["idle", idleJob],
  ["transaction", transactionJob],
  ["keys", keysJob],
  ["rebalance", rebalanceJob],
  ["pause-memory", pauseMemoryJob],
  ["upsert", upsertJob],
  ["restore", restoreJob],
  ["store-open", storeOpenJob],
  ["store-micro", storeMicroJob],
]);

const DEFAULTS = {
  rounds: 3,
  records: 1_000_000,
  warmupRecords: 500_000,
  partitions: 4,
  commitIntervalMs: 100,
  rate: 1_000,
  seconds: 30,
  warmupSeconds: 10,
  transactions: 500,
  visits: 20,
} as const satisfies Job["defaults"];

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
  const defaults = { ...DEFAULTS, ...job.defaults };
  const number = (option: CountOption, fallback: number, least = 1): number =>
    count(option, values[option], fallback, least);
  const records = number("records", defaults.records);
  return {
    name,
    job,
    rivals: values.rivals.split(",").map(rivalNamed),
    rounds: number("rounds", defaults.rounds),
    settings: {
      records,
      warmupRecords: Math.min(records, number("warmup-records", defaults.warmupRecords)),
      partitions: number("partitions", defaults.partitions),
      serde: serdeNamed(values.serde),
      commitIntervalMs: number("commit-interval-ms", defaults.commitIntervalMs, 0),
      rate: number("rate", defaults.rate),
      seconds: number("seconds", defaults.seconds),
      warmupSeconds: number("warmup-seconds", defaults.warmupSeconds, 0),
      transactions: number("transactions", defaults.transactions),
      visits: number("visits", defaults.visits),
    },
  };
}

type CountOption = Exclude<keyof ReturnType<typeof parse>["values"], "rivals" | "serde" | "help">;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rivals: { type: "string", default: [...rivals.keys()].join(",") },
        serde: { type: "string", default: "string" },
        rounds: { type: "string" },
        records: { type: "string" },
        "warmup-records": { type: "string" },
        partitions: { type: "string" },
        "commit-interval-ms": { type: "string" },
        rate: { type: "string" },
        seconds: { type: "string" },
        "warmup-seconds": { type: "string" },
        transactions: { type: "string" },
        visits: { type: "string" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function count(name: string, text: string | undefined, fallback: number, least: number): number {
  if (text === undefined) return fallback;
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

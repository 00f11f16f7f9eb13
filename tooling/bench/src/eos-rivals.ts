import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ConsumeJob, CopyJob, KeysPart, Program, RebalanceJob, Rival, StoreJob } from "./rival.ts";

const OURS = fileURLToPath(new URL("../ours/", import.meta.url));
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** In the order of their imports. Our programs run from the built packages, as a user's would. */
const PACKAGES = ["core", "client", "transactions", "consumer-groups", "state-store"];

let building: Promise<undefined> | undefined;

function build(): Promise<undefined> {
  building ??= buildPackages();
  return building;
}

async function buildPackages(): Promise<undefined> {
  for (const name of PACKAGES) {
    await promisify(execFile)("npx", ["tsup"], { cwd: join(ROOT, "packages", name) });
  }
}

function program(script: string, options: Readonly<Record<string, string | number>>): Program {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return { command: process.execPath, args: [`${OURS}${script}`, ...flags] };
}

function copy(scope: "process" | "task"): (job: CopyJob) => Program {
  return ({ bootstrapServers: bootstrap, group, input, output, serde, commitIntervalMs }) =>
    program("copy.mjs", { bootstrap, group, input, output, serde, scope, "commit-interval-ms": commitIntervalMs });
}

function consume(script: string): (job: ConsumeJob) => Program {
  return ({ bootstrapServers: bootstrap, group, topic, records }) =>
    program(script, { bootstrap, group, topic, records });
}

function keys(ordering: "key" | "partition", concurrency: number): KeysPart {
  return {
    concurrency,
    program: ({ bootstrapServers: bootstrap, group, topic }) =>
      program("keys.mjs", { bootstrap, group, topic, ordering, concurrency }),
  };
}

function rebalance(assignor: "range" | "sticky"): (job: RebalanceJob) => Program {
  return ({ bootstrapServers: bootstrap, group, topic, visits }) =>
    program("rebalance-member.mjs", { bootstrap, group, topic, assignor, ...(visits === undefined ? {} : { visits }) });
}

function store(scope: "process" | "task"): (job: StoreJob) => Program {
  return ({ bootstrapServers: bootstrap, group, input, commitIntervalMs, stateDirectory }) =>
    program("upsert.mjs", {
      bootstrap,
      group,
      input,
      scope,
      "commit-interval-ms": commitIntervalMs,
      "state-dir": stateDirectory,
    });
}

/** `createExactlyOnceProcessor` with one transactional id for the process; and what does not depend on the scope. */
export const eosProcess: Rival = {
  name: "eos-process",
  prepare: build,
  copy: copy("process"),
  produce: ({ bootstrapServers: bootstrap, topic, records }) => program("produce.mjs", { bootstrap, topic, records }),
  consume: consume("consume.mjs"),
  transaction: ({ bootstrapServers: bootstrap, group, input, output, transactions }) =>
    program("transaction.mjs", { bootstrap, group, input, output, transactions }),
  store: store("process"),
  storeMicro: ({ keys, stateDirectory }) => program("store-micro.mjs", { keys, "state-dir": stateDirectory }),
};

/** The same with one transactional id per input partition. */
export const eosTask: Rival = { name: "eos-task", prepare: build, copy: copy("task"), store: store("task") };

/** `createConsumerGroup` */
export const eosGroups: Rival = {
  name: "eos-groups",
  prepare: build,
  consume: consume("consume-group.mjs"),
  keys: keys("key", 256),
  rebalance: rebalance("range"),
  pauseMemory: ({ bootstrapServers: bootstrap, group, topic, partitions, warmupSeconds }) =>
    program("pause-memory.mjs", { bootstrap, group, topic, partitions, "warmup-seconds": warmupSeconds }),
};

/** One record at a time, as a loop over the records would have it. */
export const eosGroupsSingle: Rival = { name: "eos-groups-single", prepare: build, keys: keys("partition", 1) };

/** With the sticky assignor: partitions that stay where they are keep what was fetched of them. */
export const eosGroupsSticky: Rival = { name: "eos-groups-sticky", prepare: build, rebalance: rebalance("sticky") };

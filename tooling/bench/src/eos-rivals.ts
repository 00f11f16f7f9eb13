import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { CopyJob, Program, Rival } from "./rival.ts";

const OURS = fileURLToPath(new URL("../ours/", import.meta.url));
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** In the order of their imports. Our programs run from the built packages, as a user's would. */
const PACKAGES = ["core", "client", "transactions"];

async function build(): Promise<undefined> {
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

/** `createExactlyOnceProcessor` with one transactional id for the process; and what does not depend on the scope. */
export const eosProcess: Rival = {
  name: "eos-process",
  prepare: build,
  copy: copy("process"),
  produce: ({ bootstrapServers: bootstrap, topic, records }) => program("produce.mjs", { bootstrap, topic, records }),
  consume: ({ bootstrapServers: bootstrap, group, topic, records, partitions }) =>
    program("consume.mjs", { bootstrap, group, topic, records, partitions }),
  transaction: ({ bootstrapServers: bootstrap, group, input, output, transactions }) =>
    program("transaction.mjs", { bootstrap, group, input, output, transactions }),
};

/** The same with one transactional id per input partition. */
export const eosTask: Rival = { name: "eos-task", prepare: build, copy: copy("task") };

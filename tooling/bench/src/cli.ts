import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { BenchBroker } from "./bench-broker.ts";
import { type Command, readCommand, USAGE, UsageError } from "./command-line.ts";
import { Bench } from "./job.ts";
import { measure, type Measurement } from "./measure.ts";
import { renderReport } from "./report.ts";
import type { Rival } from "./rival.ts";

const RESULTS = join(import.meta.dirname, "..", "results");

async function run(command: Command): Promise<void> {
  if (process.platform !== "linux")
    throw new Error("The harness reads CPU time and memory from /proc: it runs on Linux only.");
  const taking = await takingPart(command);
  if (taking.length === 0) throw new Error("No rival is left to measure.");
  const at = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const folder = join(RESULTS, `${at}-${command.name}`);
  await mkdir(folder, { recursive: true });
  const broker = await BenchBroker.start();
  try {
    const bench = new Bench(broker, command.settings, folder);
    const measurement = await measure(command.job, taking, command.rounds, bench);
    await writeFile(join(folder, "result.json"), `${JSON.stringify(resultOf(command, at, measurement), null, 2)}\n`);
    console.log(renderReport(titleOf(command), command.job.columns, measurement));
    for (const rival of taking) {
      const remark = command.job.remarkOn?.(rival);
      if (remark !== undefined) console.log(remark);
    }
    process.stderr.write(`Raw figures and logs: ${folder}\n`);
  } finally {
    await broker.stop();
  }
}

/** Who is left out is said, with the reason: a missing row must not look like a decision. */
async function takingPart(command: Command): Promise<Rival[]> {
  const taking: Rival[] = [];
  for (const rival of command.rivals) {
    const reason = command.job.isDoneBy(rival, command.settings)
      ? await rival.prepare()
      : `it has no program for ${command.name} (${command.settings.serde} values)`;
    if (reason === undefined) taking.push(rival);
    else console.log(`SKIPPED ${rival.name}: ${reason}`);
  }
  return taking;
}

function titleOf({ name, job, settings, rounds }: Command): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  return `${name}: ${job.describe(settings)}; medians of ${rounds}; ${machine}`;
}

function resultOf({ name, settings }: Command, at: string, { rounds, notes }: Measurement): object {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.versions.node };
  return { job: name, at, machine, settings, notes, rounds: Object.fromEntries(rounds) };
}

// The default handling of these signals would not run the exit handler that ends the children.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

try {
  const command = readCommand(process.argv.slice(2));
  if (command === undefined) console.log(USAGE);
  else await run(command);
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}

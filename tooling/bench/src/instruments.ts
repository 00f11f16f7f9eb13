import { instrument } from "./java-program.ts";
import type { Serde } from "./rival.ts";
import { RunningProgram } from "./running-program.ts";

/** How many records a topic holds, and a sum over a hash of each: equal digests are equal records in whatever order. */
export interface Contents {
  readonly records: number;
  readonly digest: string;
}

/** Fills a topic; returns what a correct copy of it contains. */
export async function load(
  bootstrapServers: string,
  topic: string,
  records: number,
  serde: Serde,
  logFile: string,
): Promise<Contents> {
  const args = ["--bootstrap", bootstrapServers, "--topic", topic, "--records", String(records), "--serde", serde];
  return contents("Load", args, logFile);
}

/** Fills a topic with records of a key each, in no order of the keys; returns what a store of them holds. */
export async function loadUpserts(
  bootstrapServers: string,
  topic: string,
  records: number,
  logFile: string,
): Promise<Contents> {
  const args = ["--bootstrap", bootstrapServers, "--topic", topic, "--records", String(records)];
  return contents("LoadUpserts", args, logFile);
}

/** Reads a whole topic read-committed with the Java client: a stranger to whoever wrote it. */
export async function readBack(bootstrapServers: string, topic: string, logFile: string): Promise<Contents> {
  return contents("Check", ["--bootstrap", bootstrapServers, "--topic", topic], logFile);
}

/** The same of the last record of each key. */
export async function readLatest(bootstrapServers: string, topic: string, logFile: string): Promise<Contents> {
  return contents("Check", ["--bootstrap", bootstrapServers, "--topic", topic, "--contents", "latest"], logFile);
}

async function contents(mainClass: string, args: readonly string[], logFile: string): Promise<Contents> {
  const program = new RunningProgram(mainClass, await instrument(mainClass, args), logFile);
  await program.finished();
  return program.lastJson() as Contents;
}

/** Writes to a topic at a steady rate, the first record with the number `from`, until it is stopped. */
export async function feed(
  bootstrapServers: string,
  topic: string,
  rate: number,
  from: number,
  logFile: string,
): Promise<RunningProgram> {
  const args = ["--bootstrap", bootstrapServers, "--topic", topic, "--rate", String(rate), "--from", String(from)];
  return new RunningProgram("Feed", await instrument("Feed", args), logFile);
}

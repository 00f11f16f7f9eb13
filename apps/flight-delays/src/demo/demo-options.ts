import { boolean } from "@eos/core";
import { type CommandLine, describeOptions, readCommandLine } from "@tooling/app-cli";
import type { FlightDataset } from "../dataset.ts";

export interface DemoOptions {
  readonly dataset: FlightDataset;
  /** Only so many flights, from the beginning of the file. */
  readonly records: number | undefined;
}

/** With fewer flights the crash could find no open transaction. */
const MIN_RECORDS = 1_000;

const OPTIONS = {
  all: {
    ...boolean,
    kind: "flag",
    help: "231,083 flights (without airports, so none is counted per route) instead of 20,000",
  },
  records: {
    expects: `an integer of ${MIN_RECORDS} or more`,
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= MIN_RECORDS,
    kind: "unsigned-integer",
    placeholder: "n",
    help: `only the first n flights, ${MIN_RECORDS} or more`,
  },
} as const satisfies CommandLine;

export const DEMO_HELP = `Sends real US flights through a real Kafka, exactly once, while processors are killed in the middle of transactions;
then reads the result as a stranger, and compares it with the file, record by record, and the totals per route with a
plain recomputation.

Usage: pnpm demo [--all] [--records <n>]

${describeOptions(OPTIONS)}

Kafka: the cluster of the environment variable KAFKA_BROKERS (host:port,…), or else one that is started for the demo,
with Java 17+ and Maven, or with Docker. Ctrl-C ends everything and leaves nothing behind.
Exit code: 0 when every flight arrived, and was counted, exactly once, 1 when not or after an error, 2 for a wrong option, 130 after Ctrl-C.
`;

/**
 * @returns `'help'` when that was asked for
 * @throws TypeError on an option that is unknown or wrong
 */
export function readDemoOptions(args: readonly string[]): DemoOptions | "help" {
  // Not from the environment: ALL and RECORDS may mean anything there.
  const values = readCommandLine("demo", OPTIONS, args, {});
  if (values === "help") return "help";
  return {
    dataset: values["all"] === true ? "200k" : "20k",
    records: values["records"] as number | undefined,
  };
}

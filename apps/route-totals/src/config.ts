import { nonEmptyString } from "@eos/core";
import {
  type CommandLine,
  defined,
  describeOptions,
  type ProcessorConfig,
  processorOptions,
  type ProcessorValues,
  readCommandLine,
  readProcessorConfig,
} from "@tooling/app-cli";

export interface RouteTotalsConfig extends ProcessorConfig {
  readonly processor: ProcessorConfig["processor"] & { readonly stateDir?: string };
}

const PROGRAM = "route-totals";

const OPTIONS: CommandLine = {
  ...processorOptions({
    input: "topic of flights as JSON, those of one route in one partition",
    output: "topic of totals, a row for each flight",
  }),
  "state-dir": {
    ...nonEmptyString,
    kind: "text",
    placeholder: "folder",
    help: "where the totals are kept; what is lost there is read from the changelog again (default: eos in the system's temporary folder)",
  },
};

export const HELP = `Counts flights and their delays per route, exactly once, from one topic of a Kafka cluster to another, until Ctrl-C or SIGTERM.

Usage: pnpm --filter route-totals start --brokers <host:port,…> --application-id <name> --input <topic> --output <topic> --state-dir <folder>

${describeOptions(OPTIONS)}

Each option can also be an environment variable: COMMIT_INTERVAL_MS for --commit-interval-ms.
Exit code: 0 after Ctrl-C or SIGTERM, 1 after an error, 2 for a wrong option.
`;

interface Given extends ProcessorValues {
  readonly "state-dir"?: string;
}

/**
 * @returns `'help'` when that was asked for
 * @throws TypeError on an option that is unknown, wrong or missing, or a file that cannot be read
 */
export function readConfig(
  args: readonly string[],
  environment: { readonly [variable: string]: string | undefined },
): RouteTotalsConfig | "help" {
  const values = readCommandLine(PROGRAM, OPTIONS, args, environment);
  if (values === "help") return "help";
  const given = values as Given;
  const config = readProcessorConfig(PROGRAM, given);
  return { ...config, processor: { ...config.processor, ...defined("stateDir", given["state-dir"]) } };
}

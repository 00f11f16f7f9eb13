import {
  type CommandLine,
  describeOptions,
  type ProcessorConfig,
  processorOptions,
  type ProcessorValues,
  readCommandLine,
  readProcessorConfig,
} from "@tooling/app-cli";

const PROGRAM = "flight-delays";

const OPTIONS: CommandLine = processorOptions({
  input: "topic of flights, as JSON",
  output: "topic of enriched flights",
});

export const HELP = `Joins flights with their airports, exactly once, from one topic of a Kafka cluster to another, until Ctrl-C or SIGTERM.

Usage: pnpm --filter flight-delays start --brokers <host:port,…> --application-id <name> --input <topic> --output <topic>

${describeOptions(OPTIONS)}

Each option can also be an environment variable: COMMIT_INTERVAL_MS for --commit-interval-ms.
Exit code: 0 after Ctrl-C or SIGTERM, 1 after an error, 2 for a wrong option.
`;

/**
 * @returns `'help'` when that was asked for
 * @throws TypeError on an option that is unknown, wrong or missing, or a file that cannot be read
 */
export function readConfig(
  args: readonly string[],
  environment: { readonly [variable: string]: string | undefined },
): ProcessorConfig | "help" {
  const values = readCommandLine(PROGRAM, OPTIONS, args, environment);
  return values === "help" ? "help" : readProcessorConfig(PROGRAM, values as ProcessorValues);
}

import type { ConsumerGroupOptions } from "@eos/consumer-groups";
import { boolean, nonEmptyString, nonNegativeInteger, type OptionRule, positiveInteger, required } from "@eos/core";
import {
  BROKERS_OPTION,
  type CommandLine,
  type ConnectionOptions,
  type ConnectionValues,
  defined,
  describeOptions,
  readCommandLine,
  readConnectionOptions,
  SECURITY_OPTIONS,
} from "@tooling/app-cli";
import { DEFAULT_THRESHOLD_MINUTES } from "./topology.ts";

/** What the program runs with. An option that was not given is absent: the group's default holds. */
export interface DelayAlertsConfig {
  readonly input: string;
  readonly output: string;
  /** The output topic is created with this many partitions when it does not exist. */
  readonly outputPartitions: number | undefined;
  readonly replicationFactor: number;
  /** Members of the group in this process, to begin with. */
  readonly members: number;
  /** A flight that is as late as this makes an alert. */
  readonly thresholdMinutes: number;
  /** How long it takes to notify somebody. */
  readonly notifyMs: number;
  /** Every alert says in its header `eos-source` which input record it came from. */
  readonly traceSource: boolean;
  /** `undefined`: whenever a fetched batch is done with. */
  readonly commitIntervalMs: number | undefined;
  /** How to reach the cluster. */
  readonly client: ConnectionOptions;
  /** The rest, as the group takes it. */
  readonly group: Pick<ConsumerGroupOptions, "groupId" | "concurrency" | "sessionTimeoutMs">;
}

const PROGRAM = "delay-alerts";
const DEFAULT_NOTIFY_MS = 2;
const DEFAULT_REPLICATION_FACTOR = 3;

const integer: OptionRule = { expects: "an integer", accepts: Number.isSafeInteger };

const OPTIONS = {
  ...BROKERS_OPTION,
  "group-id": { ...required(nonEmptyString), kind: "text", placeholder: "name", help: "the consumer group" },
  input: {
    ...required(nonEmptyString),
    kind: "text",
    placeholder: "topic",
    help: "topic of enriched flights, as JSON",
  },
  output: { ...required(nonEmptyString), kind: "text", placeholder: "topic", help: "topic of alerts" },
  "output-partitions": {
    ...positiveInteger,
    kind: "integer",
    placeholder: "n",
    help: "create the output topic with n partitions if it does not exist (default: that is an error)",
  },
  "replication-factor": {
    ...positiveInteger,
    kind: "integer",
    placeholder: "n",
    help: "of the output topic when it is created (default 3, at most the number of brokers)",
  },
  members: {
    ...positiveInteger,
    kind: "integer",
    placeholder: "n",
    help: "members of the group in this process, to begin with (default 1)",
  },
  concurrency: {
    ...positiveInteger,
    kind: "integer",
    placeholder: "n",
    help: "flights of different keys that a member handles at the same time (default 16)",
  },
  "threshold-minutes": {
    ...integer,
    kind: "integer",
    placeholder: "minutes",
    help: `a flight that arrives as late as this, or later, makes an alert (default ${DEFAULT_THRESHOLD_MINUTES})`,
  },
  "notify-ms": {
    ...nonNegativeInteger,
    kind: "integer",
    placeholder: "ms",
    help: `how long the simulated notification of an alert takes (default ${DEFAULT_NOTIFY_MS})`,
  },
  "commit-interval-ms": {
    ...positiveInteger,
    kind: "integer",
    placeholder: "ms",
    help: "how often offsets are committed (default: whenever a fetched batch is done with, and every second)",
  },
  "session-timeout-ms": {
    ...positiveInteger,
    kind: "integer",
    placeholder: "ms",
    help: "after this long without a heartbeat a member's partitions go to others (default 10000)",
  },
  "trace-source": {
    ...boolean,
    kind: "flag",
    help: "add the header eos-source, <topic>-<partition>@<offset> of the flight, to every alert",
  },
  ...SECURITY_OPTIONS,
} as const satisfies CommandLine;

export const HELP = `Sends an alert for every flight that arrives very late, as a group of workers, until q, Ctrl-C or SIGTERM.

Usage: pnpm --filter delay-alerts start --brokers <host:port,…> --group-id <name> --input <topic> --output <topic>

${describeOptions(OPTIONS)}

Each option can also be an environment variable: COMMIT_INTERVAL_MS for --commit-interval-ms.
While it runs, + adds a member, - removes one, q ends; without a terminal SIGUSR1 adds one and SIGUSR2 removes one.
Exit code: 0 after q, Ctrl-C or SIGTERM, 1 after an error, 2 for a wrong option.
`;

/**
 * @returns `'help'` when that was asked for
 * @throws TypeError on an option that is unknown, wrong or missing, or a file that cannot be read
 */
export function readConfig(
  args: readonly string[],
  environment: { readonly [variable: string]: string | undefined },
): DelayAlertsConfig | "help" {
  const values = readCommandLine(PROGRAM, OPTIONS, args, environment);
  if (values === "help") return "help";
  const given = values as Given;
  return {
    input: given.input,
    output: given.output,
    outputPartitions: given["output-partitions"],
    replicationFactor: given["replication-factor"] ?? DEFAULT_REPLICATION_FACTOR,
    members: given.members ?? 1,
    thresholdMinutes: given["threshold-minutes"] ?? DEFAULT_THRESHOLD_MINUTES,
    notifyMs: given["notify-ms"] ?? DEFAULT_NOTIFY_MS,
    traceSource: given["trace-source"] ?? false,
    commitIntervalMs: given["commit-interval-ms"],
    client: readConnectionOptions(PROGRAM, given),
    group: {
      groupId: given["group-id"],
      ...defined("concurrency", given.concurrency),
      ...defined("sessionTimeoutMs", given["session-timeout-ms"]),
    },
  };
}

/** The values after their rules have accepted them. */
interface Given extends ConnectionValues {
  readonly "group-id": string;
  readonly input: string;
  readonly output: string;
  readonly "output-partitions"?: number;
  readonly "replication-factor"?: number;
  readonly members?: number;
  readonly concurrency?: number;
  readonly "threshold-minutes"?: number;
  readonly "notify-ms"?: number;
  readonly "commit-interval-ms"?: number;
  readonly "session-timeout-ms"?: number;
  readonly "trace-source"?: boolean;
}

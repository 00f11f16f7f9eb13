import { readFileSync } from "node:fs";
import type { ClientOptions } from "@eos/client";
import type { ConsumerGroupOptions } from "@eos/consumer-groups";
import {
  boolean,
  brokersList,
  nonEmptyString,
  nonNegativeInteger,
  oneOf,
  type OptionRule,
  positiveInteger,
  required,
} from "@eos/core";
import { type CommandLine, type CommandLineValues, describeOptions, readCommandLine } from "./command-line.ts";
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
  readonly client: Pick<ClientOptions, "brokers" | "ssl" | "sasl">;
  /** The rest, as the group takes it. */
  readonly group: Pick<ConsumerGroupOptions, "groupId" | "concurrency" | "sessionTimeoutMs">;
}

const PROGRAM = "delay-alerts";
const DEFAULT_NOTIFY_MS = 2;
const DEFAULT_REPLICATION_FACTOR = 3;

const integer: OptionRule = { expects: "an integer", accepts: Number.isSafeInteger };

const OPTIONS = {
  brokers: {
    ...required(brokersList),
    expects: "host:port, or several with commas between",
    kind: "list",
    placeholder: "host:port,…",
    help: "some brokers of the cluster",
  },
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
  tls: { ...boolean, kind: "flag", help: "connect by TLS; implied by the next three" },
  "tls-ca": { ...nonEmptyString, kind: "text", placeholder: "file", help: "CA of the brokers' certificates, PEM" },
  "tls-cert": { ...nonEmptyString, kind: "text", placeholder: "file", help: "certificate of this client, PEM" },
  "tls-key": { ...nonEmptyString, kind: "text", placeholder: "file", help: "its key, PEM" },
  "sasl-mechanism": {
    ...oneOf("plain", "scram-sha-256", "scram-sha-512"),
    kind: "text",
    placeholder: "mechanism",
    help: "plain, scram-sha-256 or scram-sha-512",
  },
  "sasl-username": { ...nonEmptyString, kind: "text", placeholder: "name", help: "user of the SASL mechanism" },
  "sasl-password": {
    ...nonEmptyString,
    kind: "text",
    isSecret: true,
    help: "its password, from the environment alone",
  },
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
    client: {
      brokers: given.brokers,
      ...defined("ssl", readTls(given)),
      ...defined("sasl", readSasl(given)),
    },
    group: {
      groupId: given["group-id"],
      ...defined("concurrency", given.concurrency),
      ...defined("sessionTimeoutMs", given["session-timeout-ms"]),
    },
  };
}

/** The values after their rules have accepted them. */
interface Given extends CommandLineValues {
  readonly brokers: readonly string[];
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
  readonly tls?: boolean;
  readonly "tls-ca"?: string;
  readonly "tls-cert"?: string;
  readonly "tls-key"?: string;
  readonly "sasl-mechanism"?: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly "sasl-username"?: string;
  readonly "sasl-password"?: string;
}

function readTls(given: Given): ClientOptions["ssl"] {
  const files = { ca: given["tls-ca"], cert: given["tls-cert"], key: given["tls-key"] };
  if ((files.cert === undefined) !== (files.key === undefined)) {
    throw new TypeError(`${PROGRAM}: options "tls-cert" and "tls-key" go together`);
  }
  const contents = Object.entries(files).flatMap(([name, file]) =>
    file === undefined ? [] : [[name, readPem(`tls-${name}`, file)] as const],
  );
  if (contents.length > 0) return Object.fromEntries(contents);
  return given.tls === true ? true : undefined;
}

function readPem(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new TypeError(`${PROGRAM}: option "${option}" must be a readable file: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function readSasl(given: Given): ClientOptions["sasl"] {
  const mechanism = given["sasl-mechanism"];
  const username = given["sasl-username"];
  const password = given["sasl-password"];
  if (mechanism === undefined) {
    if (username === undefined) return undefined;
    throw new TypeError(`${PROGRAM}: option "sasl-username" needs "sasl-mechanism"`);
  }
  if (username === undefined || password === undefined) {
    throw new TypeError(`${PROGRAM}: option "sasl-mechanism" needs "sasl-username" and the variable SASL_PASSWORD`);
  }
  return { mechanism, username, password } as ClientOptions["sasl"];
}

/** `{ [name]: value }`, or nothing: an option that is there must not be undefined. */
function defined<N extends string, V>(name: N, value: V | undefined): { readonly [n in N]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [n in N]?: V };
}

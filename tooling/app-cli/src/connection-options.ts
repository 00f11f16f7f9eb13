import { readFileSync } from "node:fs";
import type { ClientOptions } from "@eos/client";
import { boolean, brokersList, nonEmptyString, oneOf, required } from "@eos/core";
import type { CommandLine, CommandLineValues } from "./command-line.ts";
import { defined } from "./defined.ts";

/** How to reach a cluster, as a client takes it. */
export type ConnectionOptions = Pick<ClientOptions, "brokers" | "ssl" | "sasl">;

export const BROKERS_OPTION = {
  brokers: {
    ...required(brokersList),
    expects: "host:port, or several with commas between",
    kind: "list",
    placeholder: "host:port,…",
    help: "some brokers of the cluster",
  },
} as const satisfies CommandLine;

export const SECURITY_OPTIONS = {
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

/** The values of {@link BROKERS_OPTION} and {@link SECURITY_OPTIONS} after their rules have accepted them. */
export interface ConnectionValues extends CommandLineValues {
  readonly brokers: readonly string[];
  readonly tls?: boolean;
  readonly "tls-ca"?: string;
  readonly "tls-cert"?: string;
  readonly "tls-key"?: string;
  readonly "sasl-mechanism"?: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly "sasl-username"?: string;
  readonly "sasl-password"?: string;
}

/** @throws TypeError on a file that cannot be read, and on options that are not complete without others */
export function readConnectionOptions(program: string, given: ConnectionValues): ConnectionOptions {
  return {
    brokers: given.brokers,
    ...defined("ssl", readTls(program, given)),
    ...defined("sasl", readSasl(program, given)),
  };
}

function readTls(program: string, given: ConnectionValues): ClientOptions["ssl"] {
  const files = { ca: given["tls-ca"], cert: given["tls-cert"], key: given["tls-key"] };
  if ((files.cert === undefined) !== (files.key === undefined)) {
    throw new TypeError(`${program}: options "tls-cert" and "tls-key" go together`);
  }
  const contents = Object.entries(files).flatMap(([name, file]) =>
    file === undefined ? [] : [[name, readPem(program, `tls-${name}`, file)] as const],
  );
  if (contents.length > 0) return Object.fromEntries(contents);
  return given.tls === true ? true : undefined;
}

function readPem(program: string, option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new TypeError(`${program}: option "${option}" must be a readable file: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function readSasl(program: string, given: ConnectionValues): ClientOptions["sasl"] {
  const mechanism = given["sasl-mechanism"];
  const username = given["sasl-username"];
  const password = given["sasl-password"];
  if (mechanism === undefined) {
    if (username === undefined) return undefined;
    throw new TypeError(`${program}: option "sasl-username" needs "sasl-mechanism"`);
  }
  if (username === undefined || password === undefined) {
    throw new TypeError(`${program}: option "sasl-mechanism" needs "sasl-username" and the variable SASL_PASSWORD`);
  }
  return { mechanism, username, password } as ClientOptions["sasl"];
}

import {
  boolean,
  brokersList,
  checkOptions,
  createConsoleLogger,
  fn,
  nonEmptyString,
  object,
  type OptionTable,
  positiveInteger,
  type Logger,
} from "@eos/core";
import type { KafkaConfig } from "kafkajs";

/** How to reach a cluster. `ssl`, `sasl` and `socketFactory` are kafkajs' own. */
export interface ClientOptions {
  /** `host:port` of some brokers, to learn the others from; or a function that gives them, asked whenever no known broker answers. */
  readonly brokers: readonly string[] | (() => readonly string[] | Promise<readonly string[]>);
  /**
   * Names this client in the brokers' logs and quotas.
   * @defaultValue 'eos'
   */
  readonly clientId?: string;
  /** `true` for TLS with the system's CAs, or Node's `tls.connect` options. */
  readonly ssl?: KafkaConfig["ssl"];
  readonly sasl?: KafkaConfig["sasl"];
  readonly socketFactory?: KafkaConfig["socketFactory"];
  /**
   * Time for TCP, TLS and authentication together, in ms.
   * @defaultValue 10 000
   */
  readonly connectionTimeoutMs?: number;
  /**
   * Time for an answer, in ms, beyond which the connection is given up. Requests that the broker holds back on purpose (a fetch, a join) get more.
   * @defaultValue 30 000
   */
  readonly requestTimeoutMs?: number;
  /** @defaultValue warnings and errors on stderr */
  readonly logger?: Logger;
  /**
   * Permits `ssl.rejectUnauthorized: false`, with which anybody on the way can read and change everything.
   * @defaultValue false
   */
  readonly allowInsecureTls?: boolean;
}

export interface ResolvedClientOptions {
  readonly brokers: ClientOptions["brokers"];
  readonly clientId: string;
  readonly ssl?: NonNullable<KafkaConfig["ssl"]>;
  readonly sasl?: NonNullable<KafkaConfig["sasl"]>;
  readonly socketFactory?: NonNullable<KafkaConfig["socketFactory"]>;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
}

/** Rules of {@link ClientOptions}, for owners that add options of their own. */
export const CLIENT_OPTION_RULES: OptionTable = {
  brokers: {
    expects: `${brokersList.expects}, or a function that gives one`,
    accepts: (value) => brokersList.accepts(value) || fn.accepts(value),
    required: true,
  },
  clientId: nonEmptyString,
  ssl: {
    expects: "true, false, or an object of tls.connect options",
    accepts: (value) => boolean.accepts(value) || object.accepts(value),
  },
  sasl: {
    expects: "an object with a mechanism",
    accepts: (value) => object.accepts(value) && nonEmptyString.accepts(Reflect.get(value as object, "mechanism")),
  },
  socketFactory: fn,
  connectionTimeoutMs: { ...positiveInteger, expects: "a positive integer (ms)" },
  requestTimeoutMs: { ...positiveInteger, expects: "a positive integer (ms)" },
  logger: {
    expects: "an object with debug, info, warn and error functions",
    accepts: (value) =>
      object.accepts(value) &&
      ["debug", "info", "warn", "error"].every((level) => fn.accepts(Reflect.get(value as object, level))),
  },
  allowInsecureTls: boolean,
};

/**
 * Checks the options and fills in defaults. SASL PLAIN without TLS is warned about: it sends the password in clear text.
 *
 * @throws TypeError on an unknown, wrong or missing option, and on TLS without verification unless it is allowed
 */
export function resolveClientOptions(owner: string, given: ClientOptions): ResolvedClientOptions {
  checkOptions(owner, given, CLIENT_OPTION_RULES);
  const { ssl, sasl, socketFactory } = given;
  const logger = given.logger ?? createConsoleLogger({ level: "warn" });
  if (typeof ssl === "object" && ssl.rejectUnauthorized === false) {
    if (given.allowInsecureTls !== true) {
      throw new TypeError(
        `${owner}: option "ssl.rejectUnauthorized" must not be false: put the broker's CA into ssl.ca, or set allowInsecureTls: true for a test`,
      );
    }
    logger.warn({}, "TLS certificates are not verified: anybody on the way can read and change everything");
  }
  const encrypted = ssl !== undefined && ssl !== false;
  if (sasl !== undefined && sasl.mechanism.toLowerCase() === "plain" && !encrypted) {
    logger.warn({}, "SASL PLAIN without TLS sends the password in clear text: set ssl");
  }
  return {
    brokers: given.brokers,
    clientId: given.clientId ?? "eos",
    connectionTimeoutMs: given.connectionTimeoutMs ?? 10_000,
    requestTimeoutMs: given.requestTimeoutMs ?? 30_000,
    logger,
    ...(encrypted ? { ssl } : {}),
    ...(sasl === undefined ? {} : { sasl }),
    ...(socketFactory === undefined ? {} : { socketFactory }),
  };
}

/** What of an owner's options is the client's. */
export function pickClientOptions(options: ClientOptions): ClientOptions {
  const picked = Object.entries(options).filter(([name]) => Object.hasOwn(CLIENT_OPTION_RULES, name));
  return Object.fromEntries(picked) as unknown as ClientOptions;
}

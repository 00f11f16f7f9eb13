import path from "node:path";
import { tmpdir } from "node:os";
import { CLIENT_OPTION_RULES, type Client, type ClientOptions, createClient, pickClientOptions } from "@eos/client";
import {
  checkOptions,
  type Clock,
  createConsoleLogger,
  nonEmptyString,
  object,
  type Observer,
  type ParticipantHost,
  positiveInteger,
  required,
  systemClock,
} from "@eos/core";

export interface StoreHostOptions extends ClientOptions {
  /** Begins the names of changelog topics, and of the folder below `stateDir`. */
  readonly applicationId: string;
  /** @defaultValue a folder of the system's for temporary files: choose a lasting one */
  readonly stateDir?: string;
  /** How long the files of a task stay that is not opened any more. @defaultValue 600 000 */
  readonly stateCleanupDelayMs?: number;
  /** Partitions of each changelog. @defaultValue 1 */
  readonly taskCount?: number;
  /** For changelog topics that are created; lowered, with a warning, to the number of brokers. @defaultValue 3 */
  readonly replicationFactor?: number;
  readonly observer?: Observer;
  readonly clock?: Clock;
}

/** What stores need around them, where no processor gives it. */
export interface StoreHost extends ParticipantHost<Client> {
  /** Closes the connections. Close the stores before. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_REPLICATION_FACTOR = 3;
const DEFAULT_CLEANUP_DELAY_MS = 600_000;

/**
 * Connects to a cluster, for stores that are used without a processor: {@link openStore}, `standby`.
 * @throws TypeError on an unknown, wrong or missing option; ConnectionError, AuthenticationError
 */
export async function createStoreHost(options: StoreHostOptions): Promise<StoreHost> {
  checkOptions("createStoreHost", options, {
    ...CLIENT_OPTION_RULES,
    applicationId: required(nonEmptyString),
    stateDir: nonEmptyString,
    stateCleanupDelayMs: positiveInteger,
    taskCount: positiveInteger,
    replicationFactor: positiveInteger,
    observer: object,
    clock: object,
  });
  const { clock = systemClock, logger = createConsoleLogger({ level: "warn" }), observer = {} } = options;
  const client = createClient({ ...pickClientOptions(options), clock });
  await client.connect();
  const close = (): Promise<void> => client.close();
  return {
    applicationId: options.applicationId,
    client,
    stateDir: options.stateDir ?? path.join(tmpdir(), "eos"),
    stateCleanupDelayMs: options.stateCleanupDelayMs ?? DEFAULT_CLEANUP_DELAY_MS,
    taskCount: options.taskCount ?? 1,
    replicationFactor: options.replicationFactor ?? DEFAULT_REPLICATION_FACTOR,
    clock,
    logger,
    observer,
    close,
    [Symbol.asyncDispose]: close,
  };
}

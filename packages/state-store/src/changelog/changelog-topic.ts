import { type Admin, UnknownTopicError } from "@eos/client";
import { type Clock, EosError, type Logger } from "@eos/core";
import { type InternalTopicMismatch, MisconfiguredInternalTopicError } from "../errors.ts";

/** What is known of a store when its changelog is made. */
export type ChangelogKind = "key-value" | "window" | "session" | "versioned";

export interface ChangelogTopicOptions {
  readonly admin: Pick<Admin, "ensureTopics" | "partitionCount" | "describeTopicConfig">;
  readonly applicationId: string;
  /** The store's name. */
  readonly store: string;
  readonly kind: ChangelogKind;
  /** Tasks of the application: each has a partition. */
  readonly partitions: number;
  /** −1: the brokers' `default.replication.factor`. */
  readonly replicationFactor: number;
  /** How long windows and sessions, or a versioned store's history, are kept; `null` for a key-value store. */
  readonly retentionMs: number | null;
  /** Goes over the defaults of the kind. */
  readonly config: { readonly [name: string]: string };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A changelog topic that is there, and fits. */
export interface ChangelogTopic {
  readonly topic: string;
  /** How long the topic keeps tombstones: an older copy of the store may have missed some (KIP-1259). */
  readonly deleteRetentionMs: number;
}

/** Of Java's `windowstore.changelog.additional.retention.ms`, and of its versioned stores' compaction lag. */
const ADDITIONAL_RETENTION_MS = 86_400_000;
/** Topic settings are Java longs, but those of a store are safe integers. */
const FOREVER_MS = Number.MAX_SAFE_INTEGER;

const CLEANUP_POLICIES: { readonly [K in ChangelogKind]: string } = {
  "key-value": "compact",
  window: "compact,delete",
  session: "compact,delete",
  versioned: "compact",
};

const RETENTION_SETTINGS: { readonly [K in ChangelogKind]: string | null } = {
  "key-value": null,
  window: "retention.ms",
  session: "retention.ms",
  versioned: "min.compaction.lag.ms",
};

/** What of an existing topic decides whether a store can come back from it, and when it does. */
const REQUIREMENTS: { readonly [setting: string]: (found: string, wanted: string) => boolean } = {
  "cleanup.policy": (found, wanted) => policies(found) === policies(wanted),
  "message.timestamp.type": (found, wanted) => found === wanted,
  "min.compaction.lag.ms": (found, wanted) => Number(found) >= Number(wanted),
  "retention.ms": (found, wanted) => isAtLeast(found, wanted),
  "retention.bytes": (found, wanted) => isAtLeast(found, wanted),
};

/** How long others may take to create the topic, and the brokers to tell each other. */
const TIMEOUT_MS = 30_000;
const RETRY_MS = 100;

/** `<applicationId>-<store>-changelog`, as in Kafka Streams. */
export function changelogTopicName(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

/**
 * Creates a store's changelog topic, or checks the one there is: a topic that drops what the store still needs would be
 * noticed only when the store is gone. Several processes may do so at the same time. The settings are those of Kafka
 * Streams' `InternalTopicManager`.
 *
 * @throws MisconfiguredInternalTopicError, BrokerError when the configuration is refused, AuthorizationError, ConnectionError
 */
export async function ensureChangelogTopic(options: ChangelogTopicOptions): Promise<ChangelogTopic> {
  const { admin, applicationId, store, partitions, replicationFactor, clock, logger } = options;
  const topic = changelogTopicName(applicationId, store);
  const config = wantedConfig(options);
  const deadlineMs = clock.monotonicMs() + TIMEOUT_MS;
  for (;;) {
    try {
      await admin.ensureTopics([{ topic, partitions, replicationFactor, config }]);
      const found = await admin.describeTopicConfig(topic);
      const mismatches = [
        ...partitionMismatches(await admin.partitionCount(topic), partitions),
        ...configMismatches(found, config),
      ];
      if (mismatches.length > 0) throw new MisconfiguredInternalTopicError(topic, mismatches);
      warnOfOthers(options, topic, found);
      return { topic, deleteRetentionMs: Number(found.get("delete.retention.ms")) };
    } catch (error) {
      if (!isPassing(error) || clock.monotonicMs() > deadlineMs) throw error;
      logger.debug({ topic, err: error }, "Changelog topic is not ready, trying again");
      await clock.sleep(RETRY_MS);
    }
  }
}

function wantedConfig({ kind, retentionMs, config }: ChangelogTopicOptions): { readonly [name: string]: string } {
  const retention = RETENTION_SETTINGS[kind];
  return {
    "cleanup.policy": CLEANUP_POLICIES[kind],
    "message.timestamp.type": "CreateTime",
    ...(retention === null || retentionMs === null
      ? {}
      : { [retention]: String(Math.min(retentionMs + ADDITIONAL_RETENTION_MS, FOREVER_MS)) }),
    ...config,
  };
}

function partitionMismatches(found: number, wanted: number): InternalTopicMismatch[] {
  return found === wanted ? [] : [{ setting: "partitions", found: String(found), wanted: String(wanted) }];
}

function configMismatches(
  found: ReadonlyMap<string, string | null>,
  config: { readonly [name: string]: string },
): InternalTopicMismatch[] {
  const deletes = found.get("cleanup.policy")?.includes("delete") === true;
  // Nobody who asks for a time wants the topic to be cut by its size.
  const wanted: { readonly [name: string]: string } = { ...(deletes ? { "retention.bytes": "-1" } : {}), ...config };
  const mismatches: InternalTopicMismatch[] = [];
  for (const [setting, fits] of Object.entries(REQUIREMENTS)) {
    const value = wanted[setting];
    const actual = found.get(setting) ?? "not set";
    if (value === undefined || fits(actual, value)) continue;
    // Without the policy 'delete' nothing is deleted, whatever the retention says.
    if (setting.startsWith("retention.") && !deletes) continue;
    mismatches.push({ setting, found: actual, wanted: value });
  }
  return mismatches;
}

/** A topic that exists is never altered: somebody may have tuned it. */
function warnOfOthers(options: ChangelogTopicOptions, topic: string, found: ReadonlyMap<string, string | null>): void {
  for (const [setting, wanted] of Object.entries(options.config)) {
    const actual = found.get(setting);
    if (actual === wanted || setting in REQUIREMENTS) continue;
    options.logger.warn(
      { topic, setting, wanted, actual },
      "Changelog topic exists with another setting; it stays as it is",
    );
  }
}

function policies(policy: string): string {
  return policy
    .split(",")
    .map((name) => name.trim())
    .toSorted()
    .join(",");
}

/** −1: without a limit. */
function isAtLeast(found: string, wanted: string): boolean {
  return Number(found) === -1 || (Number(wanted) !== -1 && Number(found) >= Number(wanted));
}

/** A broker that has not heard of a topic just created says that it does not exist. */
function isPassing(error: unknown): boolean {
  return EosError.is(error) && (error.severity === "retriable" || error instanceof UnknownTopicError);
}

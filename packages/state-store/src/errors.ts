import { EosError, formatTopicPartition, type TopicPartition } from "@eos/core";

/**
 * A store's files are damaged, a value read is not the one that was written, or the folder is that of another store, layout
 * or time. Nothing of such a store is used: its folder is wiped, and it comes back from its changelog.
 */
export class CorruptStoreError extends EosError {
  readonly folder: string;
  /** What was found, as a clause. */
  readonly reason: string;

  constructor(folder: string, reason: string, cause?: unknown) {
    super(`the store in ${folder} is corrupt: ${reason}`, {
      code: "EOS_STORE_CORRUPT",
      severity: "abortable",
      hint: "The store is wiped and restored from its changelog; when its files are damaged again, suspect the disk.",
      cause,
    });
    this.folder = folder;
    this.reason = reason;
  }
}

/** Another process, or another store of this one, has the folder open. */
export class StoreLockedError extends EosError {
  readonly folder: string;

  constructor(folder: string, cause?: unknown) {
    super(`the store in ${folder} is open elsewhere`, {
      code: "EOS_STORE_LOCKED",
      severity: "retriable",
      hint: "Give each process a stateDir of its own, or wait until the one that holds it has ended.",
      cause,
    });
    this.folder = folder;
  }
}

/**
 * The disk refused a read or a write: it is full, read-only, or broken. What was committed before stays, but the store
 * has to be closed and opened anew: LevelDB goes on failing even when there is space again.
 */
export class StoreIoError extends EosError {
  readonly folder: string;

  constructor(folder: string, doing: string, cause: unknown) {
    super(`${doing} the store in ${folder} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: "EOS_STORE_IO",
      severity: "retriable",
      hint: "Make room on the disk of stateDir, and check that this process may write there.",
      cause,
    });
    this.folder = folder;
  }
}

/** A setting of an internal topic that is not what the application needs. */
export interface InternalTopicMismatch {
  /** `partitions`, or the name of a topic configuration. */
  readonly setting: string;
  readonly found: string;
  readonly wanted: string;
}

/** A changelog topic exists that would lose what its store needs, or give it to other tasks. */
export class MisconfiguredInternalTopicError extends EosError {
  readonly topic: string;
  readonly mismatches: readonly InternalTopicMismatch[];

  constructor(topic: string, mismatches: readonly InternalTopicMismatch[]) {
    const each = mismatches.map(({ setting, found, wanted }) => `${setting} is ${found}, but must be ${wanted}`);
    super(`the internal topic ${topic} does not fit: ${each.join("; ")}`, {
      code: "EOS_MISCONFIGURED_INTERNAL_TOPIC",
      severity: "fatal",
      hint: "Set it with kafka-configs --alter, or say in the store's changelog option that it is meant so; with other partitions, reset the application: its input has changed.",
    });
    this.topic = topic;
    this.mismatches = mismatches;
  }
}

/**
 * The changelog does not hold what comes after the store's position: the topic was created anew, its records were
 * deleted, or the position is not of this topic. The store is wiped, and restored from the changelog's beginning.
 */
export class ChangelogTruncatedError extends EosError {
  readonly topic: string;
  readonly partition: number;
  /** What was found, as a clause. */
  readonly reason: string;

  constructor({ topic, partition }: TopicPartition, reason: string, cause?: unknown) {
    super(`a store cannot go on from its changelog ${formatTopicPartition({ topic, partition })}: ${reason}`, {
      code: "EOS_CHANGELOG_TRUNCATED",
      severity: "abortable",
      hint: "The store is wiped and restored from the changelog's beginning; check that nobody deletes the changelog's records, or the topic.",
      cause,
    });
    this.topic = topic;
    this.partition = partition;
    this.reason = reason;
  }
}

/** A store without a changelog is damaged: there is nothing to restore it from, and to wipe it would lose what is left. */
export class UnrecoverableStoreError extends EosError {
  constructor(store: string, cause: StoreDamage) {
    super(`the store "${store}" is damaged, and has no changelog to restore it from: ${cause.reason}`, {
      code: "EOS_STORE_UNRECOVERABLE",
      severity: "fatal",
      hint: "Restore its folder from a snapshot, or remove it to begin with an empty store.",
      cause,
    });
  }
}

/** What is mended by wiping the store and restoring it from its changelog's beginning. */
export type StoreDamage = CorruptStoreError | ChangelogTruncatedError;

export function isDamage(error: unknown): error is StoreDamage {
  return error instanceof CorruptStoreError || error instanceof ChangelogTruncatedError;
}

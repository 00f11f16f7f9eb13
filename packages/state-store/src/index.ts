export { keyValueStore } from "./key-value/key-value-store.ts";
export type { KeyValue, KeyValueStore, PutOptions, ReadOnlyKeyValueStore } from "./key-value/key-value-store.ts";
export { timestampedKeyValueStore } from "./key-value/timestamped-key-value-store.ts";
export type {
  ReadOnlyTimestampedKeyValueStore,
  TimestampedKeyValueStore,
} from "./key-value/timestamped-key-value-store.ts";
export type { ValueAndTimestamp } from "./key-value/value-form.ts";
export { versionedKeyValueStore } from "./versioned/versioned-key-value-store.ts";
export type {
  ReadOnlyVersionedKeyValueStore,
  VersionedKeyValueStore,
  VersionedKeyValueStoreOptions,
  VersionedPutResult,
  VersionedRecord,
} from "./versioned/versioned-key-value-store.ts";
export { timestampedWindowStore, windowStore } from "./window/window-store.ts";
export type {
  ReadOnlyTimestampedWindowStore,
  ReadOnlyWindowStore,
  TimestampedWindowStore,
  WindowedIterator,
  WindowStore,
  WindowStoreIterator,
  WindowStoreOptions,
} from "./window/window-store.ts";
export type { Window, Windowed } from "./window/windowed.ts";
export { sessionStore, timestampedSessionStore } from "./session/session-store.ts";
export type {
  ReadOnlySessionStore,
  ReadOnlyTimestampedSessionStore,
  SessionStore,
  SessionStoreOptions,
  TimestampedSessionStore,
} from "./session/session-store.ts";
export type { StoreIterator } from "./iterators/store-iterator.ts";
export { StoreClosedError } from "./iterators/iterator-errors.ts";

export { cleanUp } from "./clean-up.ts";
export type { ApplicationState } from "./clean-up.ts";
export { installSnapshot } from "./install-snapshot.ts";
export type { SnapshotPlace } from "./install-snapshot.ts";
export { openStore } from "./open-store.ts";
export type { OpenedStore, OpenStoreOptions } from "./open-store.ts";
export { createStoreHost } from "./store-host.ts";
export type { StoreHost, StoreHostOptions } from "./store-host.ts";
export type { CommittedView, StoreBuilder, StoreChange } from "./store-builder.ts";
export type { StoreOptions } from "./store-options.ts";
export type { Standby } from "./task/standby-task.ts";
export type { StoreMetricsSnapshot } from "./metrics/store-metrics.ts";
export type { StateRestore, StateRestoreListener } from "./changelog/restore-listener.ts";
export { changelogTopicName } from "./changelog/changelog-topic.ts";

export {
  ChangelogTruncatedError,
  CorruptStoreError,
  MisconfiguredInternalTopicError,
  StoreIoError,
  StoreLockedError,
  UnrecoverableStoreError,
} from "./errors.ts";
export type { InternalTopicMismatch } from "./errors.ts";
export {
  InvalidStateNameError,
  StateDirectoryInUseError,
  StateDirectoryIoError,
  TaskDirectoryLockedError,
  UnsafeStateDirectoryError,
} from "./directory/directory-errors.ts";

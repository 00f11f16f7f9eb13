import type { Client } from "@eos/client";
import {
  callListener,
  type ParticipantHost,
  type ParticipantTask,
  type PartitionPosition,
  type TransactionParticipant,
} from "@eos/core";
import { changelogTopicName, ensureChangelogTopic } from "./changelog/changelog-topic.ts";
import { StoreMetrics, type StoreMetricsSnapshot } from "./metrics/store-metrics.ts";
import type { EngineEntry } from "./engine/store-engine.ts";
import { writeLastUsedMs } from "./directory/last-used.ts";
import { StoreClosedError } from "./iterators/iterator-errors.ts";
import type { StoreKind } from "./store-kind.ts";
import type { StoreOptions } from "./store-options.ts";
import { ChangelogReplay } from "./task/changelog-replay.ts";
import { StandbyTask, type Standby } from "./task/standby-task.ts";
import type { StoreHome } from "./task/store-home.ts";
import { StoreHomes } from "./task/store-homes.ts";
import { type OverlayChanges, TaskStore } from "./task/task-store.ts";

/** The committed state of one task's store. It stays valid while the task stays in this process. */
export interface CommittedView<R> {
  readonly store: R;
  /** What of the task's inputs is in it: Kafka Streams' `Position`. */
  readonly position: readonly PartitionPosition[];
}

/** A change of a store that was committed. */
export interface StoreChange<K, V> {
  readonly partition: number;
  readonly key: K;
  /** `null`: deleted. */
  readonly value: V | null;
  readonly timestamp: number;
}

/**
 * A store to be. Given to a processor (`stores: [counts]`) it is opened once for each task, and handed to `transform` by
 * `context.getStateStore(counts)`; without a processor, {@link openStore} opens it.
 */
export interface StoreBuilder<S, R, K = unknown, V = unknown> extends TransactionParticipant<S, Client> {
  /** The partitions whose tasks are in this process. */
  readonly partitions: readonly number[];
  /** Committed state only, for other code than the task's: at any time, from anywhere in the process. `undefined`: the task is elsewhere. */
  readOnly(partition: number): CommittedView<R> | undefined;
  metrics(partition: number): StoreMetricsSnapshot | undefined;
  /**
   * Copies the committed state of a task into a new folder while it works. {@link installSnapshot} takes it from there.
   * @throws StoreClosedError when the task is elsewhere; StoreIoError
   */
  snapshot(partition: number, folder: string): Promise<void>;
  /**
   * Keeps a copy of a task's store warm that another process works on, by following its changelog. The task may come to
   * this process at any time: then the copy becomes its store, and only what is missing is read.
   * @param taskId - `0_<partition>` when absent
   * @throws TypeError before `prepare`, and when there is one already; TaskDirectoryLockedError when the task is in this machine's `stateDir` already
   */
  standby(partition: number, taskId?: string): Promise<Standby<R>>;
  /** Calls the listener after each commit, once for each key it changed. @returns ends it */
  onChange(listener: (change: StoreChange<K, V>) => void): () => void;
}

/** @param options checked by whoever makes the kind */
export function createStoreBuilder<K, V, S, R>(
  options: StoreOptions<unknown, unknown>,
  kind: StoreKind<S, R, K, V>,
): StoreBuilder<S, R, K, V> {
  return new ChangeloggedStoreBuilder(options, kind);
}

class ChangeloggedStoreBuilder<S, R, K, V> implements StoreBuilder<S, R, K, V> {
  readonly name: string;
  readonly #options: StoreOptions<unknown, unknown>;
  readonly #kind: StoreKind<S, R, K, V>;
  readonly #tasks = new Map<number, { readonly store: TaskStore<S, R>; readonly metrics: StoreMetrics }>();
  readonly #standbys = new Map<number, StandbyTask<S, R>>();
  readonly #listeners = new Set<(partition: number, entry: EngineEntry) => void>();
  #prepared: { readonly host: ParticipantHost<Client>; readonly homes: StoreHomes } | null = null;

  constructor(options: StoreOptions<unknown, unknown>, kind: StoreKind<S, R, K, V>) {
    this.name = options.name;
    this.#options = options;
    this.#kind = kind;
  }

  get partitions(): readonly number[] {
    return [...this.#tasks.keys()].toSorted((a, b) => a - b);
  }

  async prepare(host: ParticipantHost<Client>): Promise<void> {
    const { applicationId, client, taskCount, replicationFactor, clock, logger } = host;
    const { storage = "persistent", changelog = {} } = this.#options;
    const topic =
      changelog === "none"
        ? null
        : await ensureChangelogTopic({
            admin: client.admin,
            applicationId,
            store: this.name,
            kind: this.#kind.changelogKind,
            partitions: taskCount,
            replicationFactor,
            retentionMs: this.#kind.retentionMs,
            config: changelog,
            clock,
            logger,
          });
    const homes = new StoreHomes(host, {
      name: this.name,
      storage,
      origin: topic?.topic ?? this.name,
      layout: this.#kind.format.layout,
      deleteRetentionMs: topic?.deleteRetentionMs ?? null,
    });
    this.#prepared = { host, homes };
  }

  async open(task: ParticipantTask): Promise<TaskStore<S, R>> {
    const { host, homes } = this.#host();
    const { changelog = {}, caching = false } = this.#options;
    const { logger, clock } = host;
    const { partition } = task;
    const topic = changelog === "none" ? null : changelogTopicName(host.applicationId, this.name);
    const sink = topic === null ? null : await task.sink(topic);
    const metrics = new StoreMetrics(clock);
    const store = new TaskStore<S, R>({
      name: this.name,
      kind: this.#kind,
      caching,
      home: await this.#home(homes, task),
      changelog: topic === null || sink === null ? null : { topic, sink, replay: this.#replay(partition, metrics) },
      metrics,
      logger,
      timestamp: () => task.timestamp,
      onFailure: (error) => task.fail(error),
      onCommitted: (changes) => this.#tell(partition, changes),
      onClosed: () => {
        if (this.#tasks.get(partition)?.store === store) this.#tasks.delete(partition);
      },
    });
    this.#tasks.set(partition, { store, metrics });
    return store;
  }

  readOnly(partition: number): CommittedView<R> | undefined {
    const task = this.#tasks.get(partition);
    if (task === undefined || task.store.engine === null) return undefined;
    return { store: task.store.committedView, position: task.store.positions };
  }

  metrics(partition: number): StoreMetricsSnapshot | undefined {
    return this.#tasks.get(partition)?.metrics.snapshot();
  }

  async snapshot(partition: number, folder: string): Promise<void> {
    const task = this.#tasks.get(partition);
    // A store that is about to be restored may lack what a snapshot that calls itself current must have.
    if (task === undefined || task.store.engine === null) throw new StoreClosedError(this.name);
    await task.store.snapshot(folder);
    await writeLastUsedMs(folder, this.#host().host.clock.now());
  }

  async standby(partition: number, taskId = `0_${partition}`): Promise<Standby<R>> {
    const { host, homes } = this.#host();
    if (this.#options.changelog === "none") throw new TypeError(`the store "${this.name}" has no changelog to follow`);
    const home = await homes.acquire({ taskId, partition }, { timeoutMs: STANDBY_LOCK_MS });
    // Nothing is awaited from here on until it has its place.
    if (this.#standbys.has(partition)) {
      await home.release();
      throw new TypeError(`partition ${partition} of "${this.name}" has a standby here`);
    }
    const standby = new StandbyTask<S, R>({
      name: this.name,
      kind: this.#kind,
      home,
      topicPartition: { topic: changelogTopicName(host.applicationId, this.name), partition },
      replay: this.#replay(partition, new StoreMetrics(host.clock)),
      host,
      onEnded: () => {
        if (this.#standbys.get(partition) === standby) this.#standbys.delete(partition);
      },
    });
    this.#standbys.set(partition, standby);
    await standby.start();
    return standby;
  }

  onChange(listener: (change: StoreChange<K, V>) => void): () => void {
    // What a serde throws is treated as what the listener throws: neither is a reason to fail a commit.
    const tell = (partition: number, entry: EngineEntry): void => {
      const topic = changelogTopicName(this.#host().host.applicationId, this.name);
      listener({ partition, ...this.#kind.read(topic, entry), timestamp: entry.value.timestamp });
    };
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  }

  #host(): { readonly host: ParticipantHost<Client>; readonly homes: StoreHomes } {
    if (this.#prepared === null) {
      throw new TypeError(`the store "${this.name}" belongs to no processor yet: give it to one, or use openStore()`);
    }
    return this.#prepared;
  }

  #home(homes: StoreHomes, { partition, taskId, signal }: ParticipantTask): Promise<StoreHome> {
    const standby = this.#standbys.get(partition);
    return standby === undefined ? homes.acquire({ taskId, partition }, { signal }) : standby.promote();
  }

  #replay(partition: number, metrics: StoreMetrics): ChangelogReplay {
    const { host } = this.#host();
    return new ChangelogReplay({
      host,
      store: this.name,
      format: this.#kind.format,
      topicPartition: { topic: changelogTopicName(host.applicationId, this.name), partition },
      listener: this.#options.restoreListener,
      metrics,
    });
  }

  #tell(partition: number, changes: OverlayChanges): void {
    if (this.#listeners.size === 0) return;
    for (const value of changes.values()) {
      const entry = { key: value.key(), value };
      for (const tell of this.#listeners) callListener(tell, undefined, "a store's changes", partition, entry);
    }
  }
}

/** A task that held the place a moment ago may still be closing. */
const STANDBY_LOCK_MS = 10_000;

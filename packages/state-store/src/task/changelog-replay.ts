import type { Client } from "@eos/client";
import type { ParticipantHost, TopicPartition } from "@eos/core";
import type { ChangelogFormat } from "../bytes/byte-store.ts";
import { restoreChangelog } from "../changelog/restore.ts";
import type { StateRestoreListener } from "../changelog/restore-listener.ts";
import { tailChangelog } from "../changelog/standby-tail.ts";
import type { StoreEngine } from "../engine/store-engine.ts";
import type { StoreMetrics } from "../metrics/store-metrics.ts";
import { ChangelogApplier } from "./changelog-applier.ts";

export interface ChangelogReplayOptions {
  readonly host: Pick<ParticipantHost<Client>, "client" | "clock" | "logger">;
  readonly store: string;
  readonly format: ChangelogFormat;
  readonly topicPartition: TopicPartition;
  readonly listener: StateRestoreListener | undefined;
  readonly metrics: StoreMetrics;
}

/** Plays the changelog of one store of one task into its engine, from where the engine stands. */
export class ChangelogReplay {
  readonly #options: ChangelogReplayOptions;

  constructor(options: ChangelogReplayOptions) {
    this.#options = options;
  }

  /**
   * To the end of what is committed now.
   * @throws CorruptStoreError, ChangelogTruncatedError: the engine's state is no beginning for what the changelog holds
   */
  async rollForward(engine: StoreEngine, signal: AbortSignal): Promise<void> {
    const { host, store, format, topicPartition, listener, metrics } = this.#options;
    const applier = new ChangelogApplier(format, topicPartition);
    await restoreChangelog({
      ...topicPartition,
      client: host.client,
      clock: host.clock,
      logger: host.logger,
      store,
      from: engine.position.changelogOffset,
      apply: (batches, from, nextOffset) => applier.apply(engine, batches, from, nextOffset),
      listener: counting(listener, metrics),
      signal,
    });
  }

  /** Without an end, until the signal fires. @throws as {@link rollForward} */
  async follow(engine: StoreEngine, signal: AbortSignal): Promise<void> {
    const { host, format, topicPartition } = this.#options;
    const applier = new ChangelogApplier(format, topicPartition);
    await tailChangelog({
      ...topicPartition,
      client: host.client,
      clock: host.clock,
      logger: host.logger,
      from: engine.position.changelogOffset,
      apply: (batches, from, nextOffset) => applier.apply(engine, batches, from, nextOffset),
      signal,
    });
  }
}

function counting(listener: StateRestoreListener | undefined, metrics: StoreMetrics): StateRestoreListener {
  return {
    onRestoreStart: (restore) => listener?.onRestoreStart?.(restore),
    onBatchRestored: (restore) => {
      metrics.restored(restore.numRestored, restore.endingOffset - restore.batchEndOffset);
      listener?.onBatchRestored?.(restore);
    },
    onRestoreEnd: (restore) => listener?.onRestoreEnd?.(restore),
    onRestoreSuspended: (restore) => listener?.onRestoreSuspended?.(restore),
  };
}

import type { Logger, PartitionPosition, RecordSink, TaskParticipant } from "@eos/core";
import { OverlayStore } from "../bytes/overlay-store.ts";
import type { StoreEngine } from "../engine/store-engine.ts";
import { isDamage, StoreIoError, UnrecoverableStoreError } from "../errors.ts";
import { StoreClosedError } from "../iterators/iterator-errors.ts";
import { OpenIterators } from "../iterators/open-iterators.ts";
import type { StoreMetrics } from "../metrics/store-metrics.ts";
import type { StoreContext, StoreKind } from "../store-kind.ts";
import { writeLayer } from "./changelog-applier.ts";
import type { ChangelogReplay } from "./changelog-replay.ts";
import { ExpirySweep } from "./expiry-sweep.ts";
import type { StoreHome } from "./store-home.ts";

export interface TaskStoreOptions<S, R> {
  readonly name: string;
  readonly kind: StoreKind<S, R>;
  readonly caching: boolean;
  readonly home: StoreHome;
  /** `null`: the store has no changelog, and is all there is. */
  readonly changelog: { readonly topic: string; readonly sink: RecordSink; readonly replay: ChangelogReplay } | null;
  readonly metrics: StoreMetrics;
  readonly logger: Logger;
  /** Timestamp of the record being processed. */
  readonly timestamp: () => number;
  /** Nothing of the open transaction may be committed. */
  readonly onFailure: (error: Error) => void;
  readonly onCommitted: (changes: OverlayChanges) => void;
  readonly onClosed: () => void;
}

/** What a commit changed, for those who watch. */
export type OverlayChanges = NonNullable<OverlayStore["committing"]>;

/**
 * A store in one task: what it wrote becomes part of the committed state when, and only when, its transaction is
 * acknowledged.
 *
 * The engine is never ahead of Kafka: it gets a transaction's writes after EndTxn was acknowledged, in one batch with
 * the changelog offset behind them. So whatever goes wrong, it holds the committed state as of some commit and knows
 * which; what is missing is read from the changelog ({@link restore}).
 */
export class TaskStore<S, R> implements TaskParticipant<S> {
  readonly state: S;
  /** The committed state alone. */
  readonly committedView: R;
  readonly #options: TaskStoreOptions<S, R>;
  readonly #overlay: OverlayStore;
  readonly #iterators: OpenIterators;
  #engine: StoreEngine | null = null;
  /** Why the engine cannot be used any more. */
  #failure: Error | null = null;
  #sweep: ExpirySweep | null = null;
  #positions: readonly PartitionPosition[] = [];
  /** What is committed may lack something: the first restore, or that after an abort, is outstanding. */
  #isBehind = true;
  #isClosed = false;

  constructor(options: TaskStoreOptions<S, R>) {
    const { name, kind, caching, changelog, metrics } = options;
    this.#options = options;
    this.#iterators = new OpenIterators(metrics);
    this.#overlay = new OverlayStore({
      name,
      sink: changelog?.sink ?? null,
      caching,
      prefixBytes: kind.format.prefixBytes,
      onHit: () => metrics.cacheHit(),
      onFailure: (error) => this.#failed(error),
    });
    const context: StoreContext = {
      storeName: name,
      topic: changelog?.topic ?? name,
      timestamp: options.timestamp,
      metrics,
      iterators: this.#iterators,
    };
    this.state = kind.create(this.#overlay, context);
    this.committedView = kind.createReadOnly(this.#overlay.committed, context);
  }

  /** Where the task's inputs stand in {@link committedView}. */
  get positions(): readonly PartitionPosition[] {
    return this.#positions;
  }

  /** The engine, while it holds everything that is committed. */
  get engine(): StoreEngine | null {
    return this.#failure === null && !this.#isBehind ? this.#engine : null;
  }

  async restore(positions: readonly PartitionPosition[], signal: AbortSignal): Promise<void> {
    const { changelog, home, logger, metrics, name } = this.#options;
    this.#overlay.abort();
    for (let isWiped = false; ; isWiped = true) {
      signal.throwIfAborted();
      if (this.#isClosed) throw new StoreClosedError(name);
      try {
        const engine = await this.#openEngine();
        await changelog?.replay.rollForward(engine, signal);
        this.#overlay.attach(engine);
        this.#sweep = await ExpirySweep.of(engine, this.#sweep);
        this.#overlay.hasExpiring = this.#sweep !== null;
        this.#positions = positions;
        this.#isBehind = false;
        await home.markCurrent();
        return;
      } catch (error) {
        if (!isDamage(error) || isWiped) {
          // The next attempt opens the engine anew; after any other failure it goes on where this one has ended.
          if (isOfEngine(error)) this.#failure ??= error;
          throw error;
        }
        if (changelog === null) throw new UnrecoverableStoreError(name, error);
        metrics.corrupted();
        logger.warn(
          { store: name, topic: changelog.topic, reason: error.reason, err: error },
          `the store "${name}" is wiped and restored from its changelog: ${error.message}`,
        );
        await this.#closeEngine();
        await home.wipe();
      }
    }
  }

  beginCommit(): void {
    this.#overlay.beginCommit();
  }

  async committed(positions: readonly PartitionPosition[]): Promise<void> {
    const { changelog, metrics, onCommitted } = this.#options;
    const layer = this.#overlay.committing;
    if (layer === null) return;
    const { engine } = this.#overlay;
    // Asked for before anything is awaited: the next transaction's records are acknowledged later.
    const changelogOffset = Math.max(changelog?.sink.endOffset ?? -1, engine.position.changelogOffset);
    if (layer.size > 0 || layer.expiredBelow !== null || layer.swept.length > 0) {
      try {
        await this.#write(engine, layer, changelogOffset);
      } catch (error) {
        this.#failed(error);
        throw error;
      }
    }
    this.#overlay.endCommit();
    this.#positions = positions;
    if (layer.size > 0) onCommitted(layer);
    metrics.written(layer.bytes);
    if (layer.expiring > 0) {
      this.#sweep ??= new ExpirySweep();
      this.#overlay.hasExpiring = true;
    }
    try {
      await this.#sweep?.run(engine, this.#overlay, layer.expiring);
    } catch (error) {
      // Of the engine: it would be met again after each commit. The changelog's is its producer's affair.
      if (isOfEngine(error)) this.#failed(error);
      throw error;
    }
  }

  abort(): void {
    this.#isBehind = true;
    this.#options.home.markBehind();
    this.#overlay.abort();
    this.#overlay.suspend();
    // What is read from now on is not what the iterator's beginning was read of.
    void this.#iterators.invalidate(new StoreClosedError(this.#options.name));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { home, onClosed, name } = this.#options;
    await this.#iterators.invalidate(new StoreClosedError(name));
    try {
      await this.#closeEngine();
    } finally {
      onClosed();
      await home.release();
    }
  }

  /** A copy of the committed state, from which a store can be opened. @throws StoreClosedError, StoreIoError */
  async snapshot(folder: string): Promise<void> {
    await this.#overlay.engine.snapshot(folder);
  }

  async #write(engine: StoreEngine, layer: OverlayChanges, changelogOffset: number): Promise<void> {
    const { flush } = this.#options.metrics;
    const begun = flush.begin();
    const batch = engine.batch();
    await writeLayer(layer, batch);
    await batch.write({ changelogOffset, streamTime: layer.streamTime });
    if (layer.expiredBelow !== null) await engine.clear({ lt: layer.expiredBelow });
    flush.end(begun);
  }

  async #openEngine(): Promise<StoreEngine> {
    if (isDamage(this.#failure)) throw this.#failure;
    // A handle that has failed goes on failing, also when the disk has room again.
    if (this.#failure !== null) await this.#closeEngine();
    this.#engine ??= await this.#options.home.open();
    return this.#engine;
  }

  async #closeEngine(): Promise<void> {
    const engine = this.#engine;
    const failed = this.#failure !== null;
    this.#overlay.attach(null);
    this.#engine = null;
    this.#failure = null;
    try {
      await engine?.close();
    } catch (error) {
      if (!failed) throw error;
      this.#options.logger.debug({ store: this.#options.name, err: error }, "closing a failed store failed");
    }
  }

  #failed(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (this.#isClosed || this.#failure !== null) return;
    this.#failure = failure;
    this.#options.onFailure(failure);
  }
}

/** Whether it is mended by an engine that is opened anew. */
function isOfEngine(error: unknown): error is Error {
  return isDamage(error) || error instanceof StoreIoError || error instanceof StoreClosedError;
}

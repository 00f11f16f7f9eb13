import type { Client } from "@eos/client";
import type { ParticipantHost, TopicPartition } from "@eos/core";
import { OverlayStore } from "../bytes/overlay-store.ts";
import type { StoreEngine } from "../engine/store-engine.ts";
import { isDamage } from "../errors.ts";
import { StoreClosedError } from "../iterators/iterator-errors.ts";
import { OpenIterators } from "../iterators/open-iterators.ts";
import { StoreMetrics } from "../metrics/store-metrics.ts";
import type { StoreKind } from "../store-kind.ts";
import type { ChangelogReplay } from "./changelog-replay.ts";
import type { StoreHome } from "./store-home.ts";

/** A copy of a store that another process works on, kept warm. */
export interface Standby<R> {
  /** The copy: committed state, a little behind. */
  readonly store: R;
  /** Records, by offsets, that the changelog is ahead. */
  lag(): Promise<number>;
  /** Ends following; the copy stays in `stateDir`, and is what the next opening begins with. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StandbyTaskOptions<S, R> {
  readonly name: string;
  readonly kind: StoreKind<S, R>;
  readonly home: StoreHome;
  readonly topicPartition: TopicPartition;
  readonly replay: ChangelogReplay;
  readonly host: ParticipantHost<Client>;
  readonly onEnded: () => void;
}

const RETRY_MS = 1_000;
const MARK_MS = 60_000;

export class StandbyTask<S, R> implements Standby<R> {
  readonly store: R;
  readonly #options: StandbyTaskOptions<S, R>;
  readonly #bytes: OverlayStore;
  readonly #iterators: OpenIterators;
  readonly #ending = new AbortController();
  #engine: StoreEngine | null = null;
  /** From the opening on; never rejects. */
  #following: Promise<void> = Promise.resolve();
  /** The place is a task's now. */
  #isPromoted = false;

  constructor(options: StandbyTaskOptions<S, R>) {
    const { name, kind, host, topicPartition } = options;
    const metrics = new StoreMetrics(host.clock);
    this.#options = options;
    this.#iterators = new OpenIterators(metrics);
    this.#bytes = new OverlayStore({
      name,
      sink: null,
      caching: false,
      prefixBytes: kind.format.prefixBytes,
      onHit: () => undefined,
      onFailure: () => undefined,
    });
    this.store = kind.createReadOnly(this.#bytes.committed, {
      storeName: name,
      topic: topicPartition.topic,
      timestamp: () => -1,
      metrics,
      iterators: this.#iterators,
    });
  }

  /** Opens the copy and begins to follow. One that is damaged, or too old, begins anew. */
  async start(): Promise<void> {
    const opening = this.#open().then(
      () => undefined,
      (error: unknown) => {
        if (!isDamage(error)) throw error;
      },
    );
    // A task may be taken up while the engine opens: it waits for it then, and has it.
    this.#following = opening.then(
      async () => {
        await Promise.all([this.#follow(), this.#keepMarked()]);
      },
      () => undefined,
    );
    try {
      await opening;
    } catch (error) {
      await this.#end();
      if (!this.#isPromoted) await this.#options.home.release();
      throw error;
    }
  }

  async lag(): Promise<number> {
    const { host, topicPartition } = this.#options;
    const [end] = await host.client.admin.listOffsets([topicPartition], "latest");
    const position = Math.max(this.#engine?.position.changelogOffset ?? 0, 0);
    return Math.max((end?.offset ?? 0) - position, 0);
  }

  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    await this.#end();
    // A task was taken up meanwhile.
    if (this.#isPromoted) return;
    const engine = this.#engine;
    this.#engine = null;
    try {
      await engine?.close();
    } finally {
      await this.#options.home.release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The copy becomes a task's store: it is handed over open. */
  async promote(): Promise<StoreHome> {
    this.#isPromoted = true;
    await this.#end();
    const { home } = this.#options;
    const engine = this.#engine;
    this.#engine = null;
    return engine === null ? home : new HandedOver(home, engine);
  }

  async #end(): Promise<void> {
    this.#ending.abort();
    await this.#following;
    this.#bytes.attach(null);
    await this.#iterators.invalidate(new StoreClosedError(this.#options.name));
    this.#options.onEnded();
  }

  async #open(): Promise<StoreEngine> {
    this.#engine ??= await this.#options.home.open();
    this.#bytes.attach(this.#engine);
    return this.#engine;
  }

  /** Until it is ended. A copy that is damaged, or has lost the changelog's thread, begins anew. */
  async #follow(): Promise<void> {
    const { replay, host, name } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const engine = await this.#open();
        await replay.rollForward(engine, signal);
        await this.#markCurrent();
        await replay.follow(engine, signal);
      } catch (error) {
        if (signal.aborted) return;
        host.logger.warn({ store: name, err: error }, `the standby copy of "${name}" begins anew`);
        await this.#drop(error);
        await host.clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  /** As of now: how far behind the copy will be when this process ends, nobody knows. */
  async #markCurrent(): Promise<void> {
    await this.#options.home.markCurrent();
    this.#options.home.markBehind();
  }

  /** Every minute, if the copy has everything: after a day of following it must not count as a day old. */
  async #keepMarked(): Promise<void> {
    const { host, name } = this.#options;
    const { signal } = this.#ending;
    for (;;) {
      try {
        await host.clock.sleep(MARK_MS, signal);
      } catch {
        return;
      }
      try {
        if (this.#engine !== null && (await this.lag()) === 0) await this.#markCurrent();
      } catch (error) {
        // The mark stays an older one, so the copy counts as older than it is: nothing worse.
        host.logger.debug(
          { store: name, err: error },
          "when the standby copy was last current could not be written down",
        );
      }
    }
  }

  async #drop(cause: unknown): Promise<void> {
    const { host, home, name } = this.#options;
    const engine = this.#engine;
    this.#bytes.attach(null);
    this.#engine = null;
    await engine?.close().catch(() => undefined);
    if (!isDamage(cause)) return;
    try {
      await home.wipe();
    } catch (error) {
      // What is there is found damaged again, and wiped then.
      host.logger.warn({ store: name, err: error }, `the standby copy of "${name}" could not be wiped, trying again`);
    }
  }
}

/** A place whose engine is open already, for whoever opens it first. */
class HandedOver implements StoreHome {
  readonly #home: StoreHome;
  #engine: StoreEngine | null;

  constructor(home: StoreHome, engine: StoreEngine) {
    this.#home = home;
    this.#engine = engine;
  }

  open(): Promise<StoreEngine> {
    const engine = this.#engine;
    this.#engine = null;
    return engine === null ? this.#home.open() : Promise.resolve(engine);
  }

  wipe(): Promise<void> {
    return this.#home.wipe();
  }

  markCurrent(): Promise<void> {
    return this.#home.markCurrent();
  }

  markBehind(): void {
    this.#home.markBehind();
  }

  async release(): Promise<void> {
    await this.#engine?.close();
    await this.#home.release();
  }
}

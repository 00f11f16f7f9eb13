import { type Client, type GroupGeneration, isConnectionLoss, isGroupFence, OffsetBatch } from "@eos/client";
import { type Clock, type Logger, notify, type Observer, type TopicPartition } from "@eos/core";
import { commitMetadata } from "../offsets/offset-map-budget.ts";
import type { CommitMode } from "../options.ts";
import type { AnyWork } from "../work/any-work.ts";

export interface CommitterOptions {
  readonly client: Pick<Client, "commitOffsets">;
  readonly mode: CommitMode;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly works: () => Iterable<AnyWork>;
  readonly onCommitted: (work: AnyWork) => void;
  /** The coordinator does not accept this member's generation any more. */
  readonly onRefused: (generation: GroupGeneration) => void;
  readonly onFatal: (error: unknown) => void;
}

/** Where nothing ends that commits are about, as while a gap stays open, what is completed beyond it is committed after this long. */
const AT_LATEST_MS = 1_000;
const RETRY_MS = 100;

interface Commit {
  readonly generation: GroupGeneration;
  readonly offsets: OffsetBatch;
  readonly works: readonly { readonly work: AnyWork; readonly position: number; readonly metadata: string }[];
}

/**
 * Commits what is completed of all partitions of a member: one request at a time, with whatever has been completed when
 * it leaves. Each carries the generation its records were fetched in, so that a stale owner is refused.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #closed = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #soon: NodeJS.Immediate | null = null;
  /** Ends when the commit on its way does; never rejects. */
  #running: Promise<void> | null = null;
  #isDue = false;
  /** A generation that the coordinator has refused is over: nothing more of it is sent. */
  #refusal: { readonly generation: GroupGeneration; readonly error: unknown } | null = null;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Something is to be committed, some time. */
  progressed(): void {
    const { mode } = this.#options;
    if (this.#timer !== null || mode === "manual" || this.#closed.signal.aborted) return;
    const intervalMs = typeof mode === "object" ? mode.intervalMs : AT_LATEST_MS;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#commitSoon();
    }, intervalMs);
  }

  /** A record or a batch has ended, whatever commits are about. */
  due(): void {
    if (this.#options.mode === "record" || this.#options.mode === "batch") this.#commitSoon();
  }

  /**
   * Commits everything that is completed at this moment.
   * @throws BrokerError when the coordinator refuses it; the signal's reason when that fires first
   */
  async flush(signal: AbortSignal): Promise<void> {
    for (;;) {
      // What is on its way may have left before the last record was completed; and should it be tried again, it would
      // overwrite a newer one.
      while (this.#running !== null) await interrupted(this.#running, signal);
      signal.throwIfAborted();
      const commit = this.#collect();
      if (commit === null) return;
      try {
        await interrupted(this.#alone(this.#send(commit)), signal);
        return;
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        await this.#options.clock.sleep(RETRY_MS, signal);
      }
    }
  }

  close(): void {
    this.#closed.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#soon !== null) clearImmediate(this.#soon);
  }

  /** After the partitions' turns: what they complete in it goes into one request. */
  #commitSoon(): void {
    this.#isDue = true;
    if (this.#running !== null || this.#soon !== null || this.#closed.signal.aborted) return;
    this.#soon = setImmediate(() => {
      this.#soon = null;
      if (this.#running === null) void this.#alone(this.#run());
    });
  }

  /** Until it ends, no other commit leaves. */
  #alone(commit: Promise<void>): Promise<void> {
    const end = (): void => {
      this.#running = null;
      if (this.#isDue) this.#commitSoon();
    };
    this.#running = commit.then(end, end);
    return commit;
  }

  async #run(): Promise<void> {
    this.#isDue = false;
    const commit = this.#collect();
    if (commit === null) return;
    try {
      await this.#send(commit);
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      if (isConnectionLoss(error)) {
        this.#options.logger.debug({ err: error }, "committing failed, trying again");
        this.#isDue = true;
        await this.#options.clock.sleep(RETRY_MS, this.#closed.signal).catch(() => undefined);
      } else if (!isGroupFence(error)) {
        this.#options.onFatal(error);
      }
    }
  }

  #collect(): Commit | null {
    const works: { work: AnyWork; position: number; metadata: string }[] = [];
    const offsets = new OffsetBatch();
    let generation: GroupGeneration | null = null;
    for (const work of this.#options.works()) {
      if (!work.hasProgressed || work.isDropped) continue;
      const { position } = work.tracker;
      const metadata = commitMetadata(work.tracker, {});
      work.hasProgressed = false;
      if (position === work.committedPosition && metadata === work.committedMetadata) {
        this.#options.onCommitted(work);
        continue;
      }
      ({ generation } = work.queue);
      offsets.set(work.queue.topic, work.queue.partition, position, metadata);
      works.push({ work, position, metadata });
    }
    return generation === null ? null : { generation, offsets, works };
  }

  async #send({ generation, offsets, works }: Commit): Promise<void> {
    const { client, clock, observer, onCommitted, onRefused, logger } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      if (this.#refusal?.generation === generation) throw this.#refusal.error;
      await client.commitOffsets({ generation, offsets });
    } catch (error) {
      for (const { work } of works) work.hasProgressed = true;
      // Another generation of this member may get the partitions back, with nothing left to be done in them.
      this.progressed();
      if (isGroupFence(error) && this.#refusal?.generation !== generation) {
        this.#refusal = { generation, error };
        const partitions = works.map(({ work }) => partitionOf(work));
        const { groupId, memberId, generationId } = generation;
        logger.warn({ groupId, memberId, generationId, partitions, err: error }, "a stale owner's commit was refused");
        notify(observer, "commitRefused", { groupId, memberId, generationId, partitions, error });
        onRefused(generation);
      }
      throw error;
    }
    for (const { work, position, metadata } of works) {
      work.committedPosition = position;
      work.committedMetadata = metadata;
      onCommitted(work);
    }
    notify(observer, "offsetsCommitted", {
      groupId: generation.groupId,
      memberId: generation.memberId,
      durationMs: clock.monotonicMs() - startedMs,
      offsets: works.map(({ work, position }) => ({ ...partitionOf(work), offset: position })),
    });
  }
}

function partitionOf({ queue }: AnyWork): TopicPartition {
  return { topic: queue.topic, partition: queue.partition };
}

/** The promise is left behind when the signal fires. */
async function interrupted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

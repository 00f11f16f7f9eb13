import { EosError } from "@eos/core";
import type { Clock, Logger } from "@eos/core";
import type { CloseOptions, ConsumerMember } from "./consumer-member.ts";

/** A member, whatever it hands out. */
// oxlint-disable-next-line typescript/no-explicit-any -- records or batches: no concern of who starts and closes members
export type AnyMember = ConsumerMember<any>;

export interface MembersOptions {
  /** @param index - of the member in the process, from 0; a replacement has the index of its predecessor */
  readonly create: (index: number) => AnyMember;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
  readonly closeTimeoutMs: number;
  readonly onMemberFailure: "replace" | "stop";
  readonly onFailed: (error: Error, willBeReplaced: boolean) => void;
  /** The group cannot go on. */
  readonly onFatal: (error: Error) => void;
}

const REPLACE_BACKOFF_MS = 1_000;
const REPLACE_BACKOFF_MAX_MS = 30_000;
/** A member that lived for so long was well: the backoff begins anew. */
const HEALTHY_MS = 60_000;

interface Place {
  readonly member: AnyMember;
  readonly startedMs: number;
  readonly failures: number;
}

/** The members of a group in this process: how many there are, and a new one for each that fails. */
export class Members {
  readonly #options: MembersOptions;
  /** `null` while there is to be another. */
  readonly #places: (Place | null)[] = [];
  /** Those that have no place any more, and have not left yet. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #closed = new AbortController();
  /** Changes of the number happen one after the other. */
  #scaling: Promise<void> = Promise.resolve();

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  get all(): readonly AnyMember[] {
    return this.#places.flatMap((place) => (place === null ? [] : [place.member]));
  }

  /** How many there are to be. */
  get size(): number {
    return this.#places.length;
  }

  /** Adds members, or closes those that came last. When one cannot start, none is added. */
  scale(members: number): Promise<void> {
    this.#scaling = this.#scaling.catch(() => undefined).then(() => this.#scale(members));
    return this.#scaling;
  }

  async close(options: CloseOptions): Promise<void> {
    this.#closed.abort();
    const over = new AbortController();
    const expired = this.#options.clock.sleep(options.timeoutMs, over.signal).catch(() => undefined);
    await Promise.all([
      ...this.all.map((member) => member.close(options)),
      Promise.race([Promise.allSettled(this.#leaving), expired]),
    ]);
    over.abort();
  }

  /** The member gives its partitions up and leaves; another takes its place after a backoff. */
  failed(member: AnyMember, error: Error): void {
    const { onMemberFailure, onFailed, onFatal } = this.#options;
    const place = this.#places.find((candidate) => candidate?.member === member);
    if (place === undefined || place === null || this.#closed.signal.aborted) return;
    const isHopeless = EosError.is(error) && error.severity === "fatal";
    const willBeReplaced = onMemberFailure === "replace" && !isHopeless;
    onFailed(error, willBeReplaced);
    if (willBeReplaced) void this.#replace(place, error).catch((again: unknown) => onFatal(again as Error));
    else onFatal(error);
  }

  async #scale(members: number): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const surplus = this.#places.splice(members);
    await Promise.all(surplus.map((place) => this.#leave(place)));
    const before = this.#places.length;
    const added = Array.from({ length: Math.max(0, members - before) }, (_, i) => this.#fill(before + i, 0));
    try {
      await Promise.all(added.map(({ member }) => member.start()));
    } catch (error) {
      await Promise.all(this.#places.splice(before).map((place) => this.#leave(place)));
      throw error;
    }
  }

  #fill(index: number, failures: number): Place {
    const { create, clock } = this.#options;
    const place = { member: create(index), startedMs: clock.monotonicMs(), failures };
    this.#places[index] = place;
    return place;
  }

  /** Lets a member without a place finish what it has in hand. */
  async #leave(place: Place | null): Promise<void> {
    if (place === null) return;
    const leaving = place.member.close({ timeoutMs: this.#options.closeTimeoutMs, drain: true, leaveGroup: true });
    this.#leaving.add(leaving);
    try {
      await leaving;
    } finally {
      this.#leaving.delete(leaving);
    }
  }

  async #replace(place: Place, error: Error): Promise<void> {
    const { clock, logger, groupId } = this.#options;
    const { signal } = this.#closed;
    const index = this.#places.indexOf(place);
    const wasHealthy = clock.monotonicMs() - place.startedMs > HEALTHY_MS;
    let failures = wasHealthy ? 0 : place.failures;
    this.#places[index] = null;
    logger.error({ groupId, err: error }, "a member failed and is replaced");
    await this.#leave(place);
    for (;;) {
      const waitMs = Math.min(REPLACE_BACKOFF_MS * 2 ** failures++, REPLACE_BACKOFF_MAX_MS);
      await clock.sleep(waitMs, signal).catch(() => undefined);
      // Closed, or scaled down meanwhile.
      if (signal.aborted || this.#places[index] !== null) return;
      const next = this.#fill(index, failures);
      try {
        await next.member.start();
        return;
      } catch (again) {
        // Closed or scaled down while it started: whoever did that has closed it.
        if (signal.aborted || !this.#places.includes(next)) return;
        if (!EosError.is(again) || again.severity === "fatal") throw again;
        this.#places[index] = null;
        await next.member.close({ timeoutMs: 0, drain: false, leaveGroup: false });
        logger.warn({ groupId, err: again }, "the replacement of a member could not start, trying again");
      }
    }
  }
}

import {
  type PartitionQueue,
  type RecordBatch,
  RecordCursor,
  type RecordSource,
  type RunnableTask,
  type RunOutcome,
} from "@eos/client";
import type { RecordOutcome } from "../handler.ts";
import type { BusyMeter } from "../member/busy-meter.ts";
import type { GroupMetrics } from "../member/group-metrics.ts";
import type { CompletionTracker } from "../offsets/completion-tracker.ts";
import { isNearlyFull } from "../offsets/offset-map-budget.ts";
import type { Delivery, DeliveryOwner, UnknownRecord } from "./delivery.ts";
import type { Handling } from "./handling.ts";
import type { SlotUser, Slots } from "./slots.ts";

/** So many records more cannot fill what is left of the map's room. */
const RECORDS_PER_MAP_CHECK = 32;

/** What the work on a partition needs of its member. */
export interface WorkOwner<T> {
  readonly handling: Handling<T>;
  readonly slots: Slots;
  readonly meter: BusyMeter;
  readonly metrics: GroupMetrics;
  /** So many records may be handed out and not completed. */
  readonly maxOutstanding: number;
  /** The position has moved, or a record beyond it was completed: something is to be committed, some time. */
  progressed(): void;
  /** As {@link progressed}, and a record or batch, whatever commits are about, has ended. */
  due(): void;
  /** The queue has room again. */
  wakeFetcher(): void;
  /** The work can go on. */
  resume(work: PartitionWork<T>): void;
  /** The fetched batch cannot be read (damaged inside, or compressed by a codec that is not there). */
  onUnreadable(error: unknown): void;
}

/** As {@link RunOutcome}, and `no-slot`: it waits its turn for one. */
export type TakeOutcome = RunOutcome | "no-slot";

/**
 * One assigned partition: takes records from its queue, hands them to the handler in the order that the subclass keeps,
 * and knows what is completed. Runs synchronously for as long as the handler does.
 */
export abstract class PartitionWork<T> implements RunnableTask, SlotUser, DeliveryOwner<T> {
  readonly queue: PartitionQueue;
  readonly source: RecordSource<unknown, unknown>;
  readonly tracker: CompletionTracker;
  /** Something was completed since it was last looked at for a commit. */
  hasProgressed = false;
  committedPosition: number;
  committedMetadata = "";
  protected readonly owner: WorkOwner<T>;
  protected readonly cursor = new RecordCursor();
  protected batch: RecordBatch | null = null;
  /** Those that somebody has, or will have again. */
  protected readonly outstanding = new Set<Delivery<T>>();
  /** To be started as soon as there is a slot: next in their lane, or after a backoff. */
  protected readonly ready: Delivery<T>[] = [];
  #recordsToMapCheck = 0;
  #jumpsTo = 0;
  #isDropped = false;
  /** Reading on would pass over what cannot be read. */
  #isUnreadable = false;
  #isRunning = false;
  /** Somebody wanted it to go on while it was running. */
  #isResumed = false;

  constructor(
    queue: PartitionQueue,
    source: RecordSource<unknown, unknown>,
    tracker: CompletionTracker,
    owner: WorkOwner<T>,
  ) {
    this.queue = queue;
    this.source = source;
    this.tracker = tracker;
    this.committedPosition = tracker.position;
    this.owner = owner;
  }

  get isDropped(): boolean {
    return this.#isDropped;
  }

  run(untilMs: number): RunOutcome {
    if (this.#isDropped || this.#isUnreadable || this.queue.paused) return "idle";
    // A handler that fails at once may be decided upon at once, and whoever completes a record resumes the work.
    if (this.#isRunning) {
      this.#isResumed = true;
      return "waiting";
    }
    this.#isRunning = true;
    this.#isResumed = false;
    this.owner.meter.enter();
    const before = this.tracker.position;
    let outcome: TakeOutcome = "idle";
    try {
      outcome = this.#handOut(untilMs);
    } catch (error) {
      this.#isUnreadable = true;
      this.owner.onUnreadable(error);
    }
    this.#isRunning = false;
    this.owner.meter.leave();
    if (this.hasProgressed || this.tracker.position !== before) this.progressed();
    // Whoever waits behind it must not wait for a turn that it makes no use of.
    if (outcome !== "no-slot") this.owner.slots.leave(this);
    // What resumed it may have come after its turn had passed: it looks again.
    if (this.#isResumed) return "more";
    return outcome === "no-slot" ? "waiting" : outcome;
  }

  /** Where it begins is committed, even when no record comes. */
  owesCommit(): void {
    this.committedPosition = -1;
    this.progressed();
  }

  /** The log has nothing between what was fetched and `offset`: once that is taken, the work goes on there. */
  jumpTo(offset: number): void {
    this.#jumpsTo = offset;
    this.owner.resume(this);
  }

  /** Nothing more is handed out until {@link PartitionQueue.paused} is lifted; what is outstanding goes on. */
  pause(): void {
    this.queue.paused = true;
    this.owner.slots.leave(this);
  }

  slotFree(): void {
    this.owner.resume(this);
  }

  again(delivery: Delivery<T>): void {
    this.ready.push(delivery);
    this.owner.resume(this);
  }

  /** Forgets what was fetched and not completed, and goes on at `offset`; what is outstanding is ignored. */
  seek(offset: number, reason: Error): void {
    this.#forget(reason);
    this.queue.seek(offset);
    this.tracker.resetTo(offset);
    this.progressed();
    this.owner.wakeFetcher();
    this.owner.resume(this);
  }

  /** The partition is this member's no longer: what is outstanding is ignored. */
  drop(reason: Error): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#forget(reason);
  }

  abstract completed(delivery: Delivery<T>, outcome: RecordOutcome): void;
  abstract blame(delivery: Delivery<T>, error: unknown): { readonly record: UnknownRecord; readonly error: unknown };
  abstract blamed(delivery: Delivery<T>): readonly UnknownRecord[];

  /** A commit has caught up with it. */
  committed(): void {}

  protected progressed(): void {
    this.hasProgressed = true;
    this.owner.progressed();
  }

  protected due(): void {
    this.hasProgressed = true;
    this.owner.due();
  }

  /** Takes what is fetched, for as long as it may. */
  protected abstract take(untilMs: number): TakeOutcome;

  #handOut(untilMs: number): TakeOutcome {
    while (this.ready.length > 0 && !this.queue.paused) {
      if (!this.owner.slots.mayStart(this)) return "no-slot";
      const delivery = this.ready.shift() as Delivery<T>;
      if (this.owner.handling.start(delivery)) this.completed(delivery, "handled");
      if (performance.now() >= untilMs) return "more";
    }
    return this.take(untilMs);
  }

  /** Back-pressure: too much is outstanding, or the offset map has no room for more gaps. */
  protected get isFull(): boolean {
    if (this.tracker.inFlight >= this.owner.maxOutstanding) return true;
    if (this.#recordsToMapCheck-- > 0) return false;
    // Looking at the map may mean encoding it.
    const isMapFull = isNearlyFull(this.tracker);
    this.#recordsToMapCheck = isMapFull ? 0 : RECORDS_PER_MAP_CHECK;
    return isMapFull;
  }

  /** Opens the next fetched batch; `false` when there is none. */
  protected openBatch(): boolean {
    if (this.batch !== null) return true;
    this.batch = this.queue.shift();
    if (this.batch === null) {
      this.tracker.passed(this.#jumpsTo);
      return false;
    }
    this.cursor.open(this.batch, this.tracker.position);
    return true;
  }

  /** Behind the last record there may be offsets that carry none: markers, and what the cleaner has taken. */
  protected closeBatch(): void {
    const batch = this.batch as RecordBatch;
    this.tracker.passed(batch.nextOffset);
    this.queue.release(batch);
    this.batch = null;
    this.owner.wakeFetcher();
  }

  #forget(reason: Error): void {
    this.owner.slots.leave(this);
    for (const delivery of this.outstanding) this.owner.handling.drop(delivery, reason);
    this.outstanding.clear();
    this.ready.length = 0;
    this.batch = null;
    this.#jumpsTo = 0;
    this.forgetOrder();
  }

  /** What the subclass keeps beside {@link outstanding} is void. */
  protected abstract forgetOrder(): void;
}

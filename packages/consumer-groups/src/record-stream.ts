import type { FetchedRecord } from "@eos/client";
import type { Delivery, UnknownRecord } from "./work/delivery.ts";
import { DeliveryAbandoned } from "./work/delivery-abandoned.ts";

/** A record that is completed when its receiver says so. */
export interface Envelope<R> {
  readonly record: R;
  /** Fires when the record is nobody's here any more, as when its partition went to another member. */
  readonly signal: AbortSignal;
  /** The record is completed. */
  ack(): void;
  /** It failed: `onError` decides what becomes of it. */
  nack(error: unknown): void;
}

class PendingRecord<R> implements Envelope<R> {
  readonly record: R;
  readonly delivery: Delivery<UnknownRecord>;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  /** Of the iterator that gave it out. */
  onSettled: (() => void) | null = null;

  constructor(record: R, delivery: Delivery<UnknownRecord>, resolve: () => void, reject: (error: unknown) => void) {
    this.record = record;
    this.delivery = delivery;
    this.#resolve = resolve;
    this.#reject = reject;
    delivery.onDropped = () => this.onSettled?.();
  }

  get signal(): AbortSignal {
    return this.delivery.signal;
  }

  ack(): void {
    this.#resolve();
    this.onSettled?.();
  }

  nack(error: unknown): void {
    this.#reject(error);
    this.onSettled?.();
  }
}

/** Where the records of a group without a handler wait for those who iterate over it. */
export class RecordStream<K, V> {
  /** In order; those that an iterator gave back come first. */
  readonly #waiting: PendingRecord<FetchedRecord<K, V>>[] = [];
  readonly #iterators = new Set<EnvelopeIterator<FetchedRecord<K, V>>>();
  #end: { readonly error: Error | null } | null = null;

  /** The handler of such a group: settles when the record is acknowledged. */
  offer(record: UnknownRecord, delivery: Delivery<UnknownRecord>): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending = new PendingRecord(record as FetchedRecord<K, V>, delivery, resolve, reject);
      if (this.#end !== null) {
        pending.nack(new DeliveryAbandoned());
        return;
      }
      delivery.isUntaken = true;
      this.#waiting.push(pending);
      this.#serve();
    });
  }

  /** Nobody gets the records that wait any more; iterators end, or throw the error. */
  end(error: Error | null): void {
    this.#end ??= { error };
    for (const pending of this.#waiting.splice(0)) pending.nack(new DeliveryAbandoned());
    this.#serve();
  }

  /** At most `maxInFlight` of what it gives are unacknowledged at any time. */
  envelopes(maxInFlight: number): AsyncIterableIterator<Envelope<FetchedRecord<K, V>>, void, void> {
    const iterator = new EnvelopeIterator<FetchedRecord<K, V>>(maxInFlight, {
      take: () => this.#take(),
      end: () => this.#end,
      // Whoever iterates next gets what this one has not acknowledged.
      giveBack: (outstanding) => {
        this.#iterators.delete(iterator);
        for (const { delivery } of outstanding) delivery.isUntaken = true;
        this.#waiting.unshift(...outstanding);
        if (this.#end === null) this.#serve();
        else this.end(null);
      },
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  /** One at a time; each is acknowledged when the next is asked for, so not the one at which the loop is left. */
  records(): AsyncIterableIterator<FetchedRecord<K, V>, void, void> {
    return new RecordIterator(this.envelopes(1));
  }

  #take(): PendingRecord<FetchedRecord<K, V>> | undefined {
    for (;;) {
      const pending = this.#waiting.shift();
      if (pending === undefined || !pending.delivery.isOver) return pending;
    }
  }

  #serve(): void {
    for (const iterator of this.#iterators) iterator.serve();
  }
}

interface EnvelopeSource<R> {
  take(): PendingRecord<R> | undefined;
  end(): { readonly error: Error | null } | null;
  giveBack(outstanding: ReadonlySet<PendingRecord<R>>): void;
}

/**
 * No generator: its `return()` would wait behind a pending `next()`, which may wait for the very records that the
 * return is to give back.
 */
class EnvelopeIterator<R> implements AsyncIterableIterator<Envelope<R>, void, void> {
  readonly #maxInFlight: number;
  readonly #source: EnvelopeSource<R>;
  readonly #outstanding = new Set<PendingRecord<R>>();
  readonly #takers: {
    readonly resolve: (result: IteratorResult<Envelope<R>, void>) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #isOver = false;

  constructor(maxInFlight: number, source: EnvelopeSource<R>) {
    this.#maxInFlight = maxInFlight;
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope<R>, void>> {
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
      this.serve();
    });
  }

  return(): Promise<IteratorResult<Envelope<R>, void>> {
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** There may be something for those who wait. */
  serve(): void {
    while (this.#takers.length > 0 && !this.#isOver) {
      const pending = this.#outstanding.size < this.#maxInFlight ? this.#source.take() : undefined;
      if (pending !== undefined) {
        pending.delivery.isUntaken = false;
        pending.delivery.sinceMs = performance.now();
        this.#outstanding.add(pending);
        pending.onSettled = () => {
          if (this.#outstanding.delete(pending)) this.serve();
        };
        this.#takers.shift()?.resolve({ done: false, value: pending });
        continue;
      }
      const end = this.#source.end();
      if (end === null) return;
      if (end.error !== null) this.#takers.shift()?.reject(end.error);
      // The group is closing: those who hold records may still acknowledge them.
      else this.#outstanding.clear();
      this.#finish();
    }
    if (!this.#isOver) return;
    for (const taker of this.#takers.splice(0)) taker.resolve({ done: true, value: undefined });
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const pending of this.#outstanding) pending.onSettled = null;
    this.serve();
    this.#source.giveBack(this.#outstanding);
  }
}

class RecordIterator<R> implements AsyncIterableIterator<R, void, void> {
  readonly #envelopes: AsyncIterableIterator<Envelope<R>, void, void>;
  #last: Envelope<R> | null = null;

  constructor(envelopes: AsyncIterableIterator<Envelope<R>, void, void>) {
    this.#envelopes = envelopes;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<R, void>> {
    this.#last?.ack();
    this.#last = null;
    const result = await this.#envelopes.next();
    if (result.done === true) return { done: true, value: undefined };
    this.#last = result.value;
    return { done: false, value: result.value.record };
  }

  async return(): Promise<IteratorResult<R, void>> {
    await this.#envelopes.return?.();
    return { done: true, value: undefined };
  }
}

import fc from "fast-check";
import { firstValueFrom, lastValueFrom, mergeMap, Observable, take, tap, toArray } from "rxjs";
import { describe, expect, test, vi } from "vitest";
import type { Envelope } from "../record-stream.ts";
import { toObservable } from "./record-bridge.ts";

/** Lets everything that is already settled run its course. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface GroupOptions {
  /** How many records there are until the group is closed; it fails instead when `failure` is given. */
  readonly count: number;
  readonly failure?: Error;
}

/** A group whose records are numbers, and whose iterator waits while too many are open. It takes acks in any order. */
class FakeGroup {
  readonly acked: number[] = [];
  readonly nacked: number[] = [];
  open = 0;
  maxOpen = 0;
  returned = 0;
  asked = 0;
  pending = 0;
  readonly options: GroupOptions;
  #wake: (() => void) | null = null;

  constructor(options: GroupOptions) {
    this.options = options;
  }

  records({ maxInFlight = 16 }: { readonly maxInFlight?: number } = {}): AsyncIterable<Envelope<number>> {
    let given = 0;
    let isEnded = false;
    const next = async (): Promise<IteratorResult<Envelope<number>>> => {
      while (!isEnded && this.open >= maxInFlight) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (isEnded) return { done: true, value: undefined };
      if (given === this.options.count) {
        if (this.options.failure !== undefined) throw this.options.failure;
        return { done: true, value: undefined };
      }
      return { done: false, value: this.#envelope(given++) };
    };
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          this.asked++;
          this.pending++;
          expect(this.pending).toBe(1);
          return next().finally(() => this.pending--);
        },
        return: async () => {
          this.returned++;
          isEnded = true;
          this.#wake?.();
          return { done: true, value: undefined };
        },
      }),
    };
  }

  #envelope(record: number): Envelope<number> {
    this.open++;
    this.maxOpen = Math.max(this.maxOpen, this.open);
    const close = (list: number[]): void => {
      list.push(record);
      this.open--;
      this.#wake?.();
    };
    return {
      record,
      signal: new AbortController().signal,
      ack: () => close(this.acked),
      nack: () => close(this.nacked),
    };
  }
}

describe("toObservable", () => {
  test("For any schedule of slow consumers no more are open than allowed, the order is kept, and none is lost.", async () => {
    const schedules = fc.record({
      maxInFlight: fc.integer({ min: 1, max: 8 }),
      // For each record after how many turns it is acked; 0 is at once, in the subscriber.
      delays: fc.array(fc.nat(5), { maxLength: 60 }),
      failing: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(schedules, async ({ maxInFlight, delays, failing }) => {
        const group = new FakeGroup({ count: delays.length });
        const seen: number[] = [];
        const handled = toObservable(group, { maxInFlight }).pipe(
          tap(({ record }) => seen.push(record)),
          mergeMap(async (envelope) => {
            for (let i = delays[envelope.record] ?? 0; i > 0; i--) await turn();
            if (failing && envelope.record % 3 === 0) envelope.nack(new Error("bad record"));
            else envelope.ack();
            return envelope.record;
          }),
          toArray(),
        );
        const all = Array.from(delays, (_, i) => i);
        expect((await lastValueFrom(handled)).sort((a, b) => a - b)).toEqual(all);
        expect(seen).toEqual(all);
        expect(group.maxOpen).toBeLessThanOrEqual(maxInFlight);
        expect([...group.acked, ...group.nacked].sort((a, b) => a - b)).toEqual(all);
        expect(group.open).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test("The next record is emitted as soon as one is acked, whichever it is, and not before.", async () => {
    const group = new FakeGroup({ count: 10 });
    const envelopes: Envelope<number>[] = [];
    const subscription = toObservable(group, { maxInFlight: 3 }).subscribe((envelope) => envelopes.push(envelope));
    await turn();
    expect(envelopes.map(({ record }) => record)).toEqual([0, 1, 2]);
    envelopes[1]?.ack();
    await turn();
    expect(envelopes.map(({ record }) => record)).toEqual([0, 1, 2, 3]);
    envelopes[3]?.nack(new Error("bad record"));
    await turn();
    expect(envelopes.map(({ record }) => record)).toEqual([0, 1, 2, 3, 4]);
    subscription.unsubscribe();
  });

  test("Nothing is asked of the group before somebody subscribes.", async () => {
    const group = new FakeGroup({ count: 3 });
    const stream = toObservable(group);
    await turn();
    expect(group.asked).toBe(0);
    await lastValueFrom(stream.pipe(tap((envelope) => envelope.ack())));
    expect(group.acked).toEqual([0, 1, 2]);
  });

  test("Unsubscribing ends the iteration at once, also while it waits, and acks nothing.", async () => {
    const group = new FakeGroup({ count: 10 });
    const seen: number[] = [];
    const subscription = toObservable(group, { maxInFlight: 2 }).subscribe({
      next: ({ record }) => seen.push(record),
      complete: () => seen.push(-1),
    });
    await turn();
    expect(group.pending).toBe(1);
    subscription.unsubscribe();
    expect(group.returned).toBe(1);
    await turn();
    expect([group.pending, group.acked, group.nacked, seen]).toEqual([0, [], [], [0, 1]]);
  });

  test("A record that comes after unsubscribing is neither emitted nor acked.", async () => {
    const group = new FakeGroup({ count: 10 });
    const seen: number[] = [];
    await firstValueFrom(
      toObservable(group, { maxInFlight: 5 }).pipe(
        tap(({ record }) => seen.push(record)),
        take(1),
      ),
    );
    await turn();
    expect([group.returned, group.asked, group.acked, seen]).toEqual([1, 1, [], [0]]);
    const late = new FakeGroup({ count: 10 });
    const subscription = toObservable(late).subscribe(({ record }) => seen.push(record));
    subscription.unsubscribe();
    await turn();
    expect([late.returned, late.open, late.acked, seen]).toEqual([1, 1, [], [0]]);
  });

  test("An error further down ends the iteration.", async () => {
    const group = new FakeGroup({ count: 10 });
    const failing = toObservable(group, { maxInFlight: 2 }).pipe(
      mergeMap(() => Promise.reject(new Error("handler failed"))),
    );
    await expect(lastValueFrom(failing)).rejects.toThrow("handler failed");
    expect([group.returned, group.acked]).toEqual([1, []]);
  });

  test("It completes when the group is closed, and errors when the group fails; either way the iterator is done.", async () => {
    const closed = new FakeGroup({ count: 2 });
    const ack = tap((envelope: Envelope<number>) => envelope.ack());
    await expect(lastValueFrom(toObservable(closed).pipe(ack, toArray()))).resolves.toHaveLength(2);
    const failure = new Error("fenced");
    const failed = new FakeGroup({ count: 2, failure });
    await expect(lastValueFrom(toObservable(failed).pipe(ack))).rejects.toBe(failure);
    expect([closed.returned, failed.returned]).toEqual([0, 0]);
  });

  test("A group that refuses to be iterated is an error of the stream.", async () => {
    const group = {
      records(): AsyncIterable<Envelope<number>> {
        throw new Error("it has a handler");
      },
    };
    await expect(lastValueFrom(toObservable(group))).rejects.toThrow("it has a handler");
  });

  test("A failure to end the iteration is nobody's any more.", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const group = new FakeGroup({ count: 10 });
    const iterator = group.records()[Symbol.asyncIterator]();
    iterator.return = () => Promise.reject(new Error("no broker"));
    const stream = toObservable({ records: () => ({ [Symbol.asyncIterator]: () => iterator }) });
    stream.subscribe().unsubscribe();
    await turn();
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test("It refuses a wrong option when it is made, and is an Observable of rxjs.", () => {
    const group = new FakeGroup({ count: 0 });
    expect(() => toObservable(group, { maxInFlight: 0 })).toThrow(TypeError);
    expect(() => toObservable(group, { maxInflight: 1 } as object)).toThrow('did you mean "maxInFlight"?');
    expect(toObservable(group)).toBeInstanceOf(Observable);
  });
});

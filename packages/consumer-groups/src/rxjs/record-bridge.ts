import { checkOptions, positiveInteger } from "@eos/core";
import { Observable, type Subscriber } from "rxjs";
import type { Envelope } from "../record-stream.ts";
import type { ObservableGroup } from "./observable-group.ts";

export interface BridgeOptions {
  /** Envelopes that may be neither acked nor nacked at any time; no more are emitted until one is. @defaultValue the group's */
  readonly maxInFlight?: number;
}

const BRIDGE_OPTION_RULES = { maxInFlight: positiveInteger };

/**
 * The records of the group as a stream that does not run ahead of its consumer, although an Observable knows no
 * back-pressure: each record comes in an envelope, and no more are open at a time than `maxInFlight`.
 *
 * ```ts
 * toObservable(group, { maxInFlight: 64 }).pipe(
 *   mergeMap((envelope) => save(envelope.record).then(() => envelope.ack(), (error) => envelope.nack(error))),
 * ).subscribe();
 * ```
 *
 * Each subscription iterates the group anew. Unsubscribing ends the iteration: what is not acked by then is not
 * committed, and comes again to whoever owns the partition next. The stream completes when the group is closed, and
 * errors when it fails.
 *
 * @throws TypeError on a wrong or unknown option
 */
export function toObservable<R>(
  group: Pick<ObservableGroup<R>, "records">,
  options?: BridgeOptions,
): Observable<Envelope<R>> {
  checkOptions("toObservable", options, BRIDGE_OPTION_RULES);
  return new Observable((subscriber) => {
    const iterator = group.records(options)[Symbol.asyncIterator]();
    let isEnded = false;
    subscriber.add(() => {
      if (isEnded) return;
      isEnded = true;
      // Nobody is left to hear of a failure.
      iterator.return?.().catch(() => {});
    });
    void forward(iterator, subscriber, () => {
      isEnded = true;
    });
  });
}

/** Asks for the next envelope only after the one before was emitted: nothing is ever held here. */
async function forward<R>(
  iterator: AsyncIterator<Envelope<R>>,
  subscriber: Subscriber<Envelope<R>>,
  onEnd: () => void,
): Promise<void> {
  try {
    while (!subscriber.closed) {
      const next = await iterator.next();
      if (next.done === true) {
        onEnd();
        subscriber.complete();
        return;
      }
      subscriber.next(next.value);
    }
  } catch (error) {
    onEnd();
    subscriber.error(error);
  }
}

import type { LifecycleState, Observer } from "@eos/core";
import type { LagListener, LagWatchOptions } from "../lag/lag-monitor.ts";
import type { Envelope } from "../record-stream.ts";

/** What the streams need of a consumer group. */
export interface ObservableGroup<R> {
  readonly state: LifecycleState;
  /** @returns a function that takes the observer off again */
  observe(observer: Observer): () => void;
  /** @returns a function that ends the watching */
  watchLag(listener: LagListener, options?: LagWatchOptions): () => void;
  /** Gives the next envelope when fewer than `maxInFlight` have been given and neither acked nor nacked. */
  records(options?: { readonly maxInFlight?: number }): AsyncIterable<Envelope<R>>;
}

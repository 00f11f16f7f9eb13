import { checkOptions, fn, type LifecycleState, type ObserverEvents, positiveInteger } from "@eos/core";
import { Observable } from "rxjs";
import type { GroupLag } from "../lag/group-lag.ts";
import type { LagWatchOptions } from "../lag/lag-monitor.ts";
import type { ObservableGroup } from "./observable-group.ts";

const LAG_OPTION_RULES = { intervalMs: positiveInteger, onError: fn };

/**
 * The lag of the group, at once and then at an interval, for as long as somebody is subscribed. It never errors: a broker
 * that does not answer is a gap.
 *
 * @throws TypeError on a wrong or unknown option
 */
export function lag$(
  group: Pick<ObservableGroup<unknown>, "watchLag">,
  options?: LagWatchOptions,
): Observable<GroupLag> {
  checkOptions("lag$", options, LAG_OPTION_RULES);
  return new Observable((subscriber) => group.watchLag((lag) => subscriber.next(lag), options));
}

/** The rebalances of the group from now on, one for each member and generation. */
export function rebalances$(
  group: Pick<ObservableGroup<unknown>, "observe">,
): Observable<ObserverEvents["rebalanced"]> {
  return new Observable((subscriber) => group.observe({ rebalanced: (event) => subscriber.next(event) }));
}

/** The state of the group: the present one at once, then each that differs from the one before. */
export function state$(group: Pick<ObservableGroup<unknown>, "observe" | "state">): Observable<LifecycleState> {
  return new Observable((subscriber) => {
    let told: LifecycleState | undefined;
    // Asked of the group rather than taken from the event: other things than the group may change their states too.
    const tell = (): void => {
      const { state } = group;
      if (state === told) return;
      told = state;
      subscriber.next(state);
    };
    // Before the present state is told: who hears it may change it.
    const stop = group.observe({ stateChanged: tell });
    tell();
    return stop;
  });
}

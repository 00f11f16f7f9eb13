import { Observable } from "rxjs";
import type { StoreBuilder, StoreChange } from "../store-builder.ts";

/**
 * What commits changed in the tasks of this process, as it happens: for each commit the last value of every key it
 * changed. It does not repeat what was committed before, nor what a restore brings; nobody waits for its subscribers.
 */
export function changes$<K, V>(
  store: Pick<StoreBuilder<unknown, unknown, K, V>, "onChange">,
): Observable<StoreChange<K, V>> {
  return new Observable((subscriber) => store.onChange((change) => subscriber.next(change)));
}

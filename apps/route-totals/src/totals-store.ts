import { jsonSerde, stringSerde } from "@eos/core";
import { keyValueStore, type StateRestoreListener } from "@eos/state-store";
import type { RouteTotals } from "./topology.ts";

/** The totals of each route, by its name. Its changelog is `<applicationId>-totals-changelog`. */
export function totalsStore(restoreListener: StateRestoreListener = {}) {
  return keyValueStore({
    name: "totals",
    key: stringSerde,
    value: jsonSerde<RouteTotals>(),
    restoreListener,
  });
}

export type TotalsStore = ReturnType<typeof totalsStore>;

/** How the state of this process came up. */
export interface StateSummary {
  readonly partitions: number;
  readonly routes: number;
  /** Records read from the changelog since the stores were opened. */
  readonly replayed: number;
}

/** Of what is committed at the moment of the call. */
export async function summarise(store: TotalsStore): Promise<StateSummary> {
  const { partitions } = store;
  const replayed = partitions.reduce((sum, partition) => sum + (store.metrics(partition)?.restoreTotal ?? 0), 0);
  const counts = await Promise.all(partitions.map((partition) => countRoutes(store, partition)));
  return { partitions: partitions.length, routes: counts.reduce((sum, count) => sum + count, 0), replayed };
}

async function countRoutes(store: TotalsStore, partition: number): Promise<number> {
  let count = 0;
  const view = store.readOnly(partition)?.store;
  if (view === undefined) return count;
  for await (const _ of view.all()) count += 1;
  return count;
}

import { bytesSerde, silentLogger, stringSerde } from "@eos/core";
import { createStoreHost, keyValueStore, openStore } from "@eos/state-store";
import type { Stage } from "./stage.ts";

/** The name that route-totals gives its store. */
export const TOTALS_STORE = "totals";

/** The store as it lies on the disk. */
export interface StoredTotals {
  /** The totals of each route, as the text that is stored. */
  readonly totals: ReadonlyMap<string, string>;
  /** Records of the changelog that were missing on the disk. */
  readonly replayed: number;
}

/** Opens the store of a processor that has ended, one task after the other. */
export async function readTotalsOnDisk({ brokers, partitions, totals }: Stage): Promise<StoredTotals> {
  let replayed = 0;
  const store = keyValueStore({
    name: TOTALS_STORE,
    key: stringSerde,
    value: bytesSerde,
    restoreListener: {
      onRestoreEnd: ({ totalRestored }) => {
        replayed += totalRestored;
      },
    },
  });
  const { applicationId, stateDir } = totals;
  await using host = await createStoreHost({
    brokers,
    applicationId,
    stateDir,
    taskCount: partitions,
    logger: silentLogger,
  });
  const found = new Map<string, string>();
  for (let partition = 0; partition < partitions; partition++) {
    await using opened = await openStore(store, host, { partition });
    for await (const { key, value } of opened.store.all()) found.set(key, value.toString("utf8"));
  }
  return { totals: found, replayed };
}

import { int64Serde, stringSerde } from "@eos/core";
import { keyValueStore, type StateRestoreListener } from "@eos/state-store";

/** A sum per key. */
export function sumStore(restoreListener: StateRestoreListener = {}) {
  return keyValueStore({ name: "sums", key: stringSerde, value: int64Serde, restoreListener });
}

import { type Serde, stringSerde } from "@eos/core";
import type { KeyValueStore, ReadOnlyKeyValueStore } from "../key-value/key-value-store.ts";
import type { ContractRunner, StoreUnderTest } from "./contract.ts";

export type OpenedKeyValueStore<K, V> = Promise<StoreUnderTest<KeyValueStore<K, V>, ReadOnlyKeyValueStore<K, V>>>;

export interface KeyValueContract extends ContractRunner {
  open<K, V>(serdes: { readonly key: Serde<K>; readonly value: Serde<V> }): OpenedKeyValueStore<K, V>;
}

export function openStrings({ open }: Pick<KeyValueContract, "open">): OpenedKeyValueStore<string, string> {
  return open({ key: stringSerde, value: stringSerde });
}

import type { Serde } from "@eos/core";
import { PLAIN_PREFIX_BYTES } from "../bytes/physical-key.ts";
import type { StoreKind } from "../store-kind.ts";
import { KeyValueReader } from "./key-value-reader.ts";
import type { KeyValueStore, ReadOnlyKeyValueStore } from "./key-value-store.ts";
import { KeyValueWriter } from "./key-value-writer.ts";
import { rangeReader } from "./range-reader.ts";
import type { ValueForm } from "./value-form.ts";

/** Key-value stores: the changelog's key and value are the store's. */
export function keyValueKind<K, V>(
  keySerde: Serde<K>,
  form: ValueForm<V>,
): StoreKind<KeyValueStore<K, V>, ReadOnlyKeyValueStore<K, V>, K, V> {
  const readKey = rangeReader(keySerde);
  return {
    changelogKind: "key-value",
    retentionMs: null,
    format: {
      layout: "key-value",
      prefixBytes: PLAIN_PREFIX_BYTES,
      complete: () => -1,
    },
    create: (bytes, context) => new KeyValueWriter(bytes, context, keySerde, form),
    createReadOnly: (bytes, context) => new KeyValueReader(bytes, context, keySerde, form),
    read: (topic, { key, value }) => ({
      key: readKey(topic, key, PLAIN_PREFIX_BYTES, key.length),
      value: value.isDeleted ? null : form.read(topic, value),
    }),
  };
}

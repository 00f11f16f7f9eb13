import { checkOptions } from "@eos/core";
import { createStoreBuilder, type StoreBuilder } from "../store-builder.ts";
import { STORE_OPTION_RULES, type StoreOptions } from "../store-options.ts";
import { keyValueKind } from "./key-value-kind.ts";
import type { KeyValueStore, ReadOnlyKeyValueStore } from "./key-value-store.ts";
import { TimestampedValue, type ValueAndTimestamp } from "./value-form.ts";

/**
 * A {@link KeyValueStore} that shows the timestamp of each value, and is told it, after Kafka Streams' interface of
 * this name. Its changelog has the value alone, and the timestamp as the record's.
 */
export type TimestampedKeyValueStore<K, V> = KeyValueStore<K, ValueAndTimestamp<V>>;

/** The reads of a {@link TimestampedKeyValueStore}. */
export type ReadOnlyTimestampedKeyValueStore<K, V> = ReadOnlyKeyValueStore<K, ValueAndTimestamp<V>>;

/**
 * As `keyValueStore`, with `{ value, timestamp }` as the value.
 *
 * @throws TypeError on an unknown, wrong or missing option
 */
export function timestampedKeyValueStore<K, V>(
  options: StoreOptions<K, V>,
): StoreBuilder<TimestampedKeyValueStore<K, V>, ReadOnlyTimestampedKeyValueStore<K, V>, K, ValueAndTimestamp<V>> {
  checkOptions("timestampedKeyValueStore", options, STORE_OPTION_RULES);
  return createStoreBuilder(options, keyValueKind(options.key, new TimestampedValue(options.value)));
}

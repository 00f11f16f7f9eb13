import { PLAIN_PREFIX_BYTES } from "../bytes/physical-key.ts";
import { rangeReader } from "../key-value/range-reader.ts";
import { latestVersion, putVersion } from "../keys/versioned-value.ts";
import type { StoreKind } from "../store-kind.ts";
import type {
  ReadOnlyVersionedKeyValueStore,
  VersionedKeyValueStore,
  VersionedKeyValueStoreOptions,
  VersionedRecord,
} from "./versioned-key-value-store.ts";
import { versionedRecord, VersionedReader } from "./versioned-reader.ts";
import { VersionedWriter } from "./versioned-writer.ts";

const NOTHING = Buffer.alloc(0);

/** Versioned stores: all versions of a key are one stored value, and a changelog record each. */
export function versionedKind<K, V>({
  key,
  value,
  historyRetentionMs,
}: Pick<VersionedKeyValueStoreOptions<K, V>, "key" | "value" | "historyRetentionMs">): StoreKind<
  VersionedKeyValueStore<K, V>,
  ReadOnlyVersionedKeyValueStore<K, V>,
  K,
  VersionedRecord<V>
> {
  const readKey = rangeReader(key);
  const readValue = rangeReader(value);
  return {
    changelogKind: "versioned",
    retentionMs: historyRetentionMs,
    format: {
      layout: "versioned",
      prefixBytes: PLAIN_PREFIX_BYTES,
      complete: () => -1,
      merge(current, source, valueStart, valueEnd, timestamp, streamTime) {
        const { buffer, valueStart: start, valueEnd: end } = current ?? { buffer: NOTHING, valueStart: 0, valueEnd: 0 };
        const logged = valueStart < 0 ? null : source.subarray(valueStart, valueEnd);
        const put = putVersion(buffer, start, end, logged, timestamp, streamTime, historyRetentionMs);
        // Written by whoever logs what is too late: Kafka Streams does.
        if (put === undefined) return current === undefined ? null : current.bytes();
        return put.versions.length === 0 ? null : put.versions;
      },
    },
    create: (bytes, context) => new VersionedWriter(bytes, context, key, value, historyRetentionMs),
    createReadOnly: (bytes, context) => new VersionedReader(bytes, context, key, value, historyRetentionMs),
    read(topic, entry) {
      const { buffer, valueStart, valueEnd, isDeleted } = entry.value;
      const latest = isDeleted ? undefined : latestVersion(buffer, valueStart, valueEnd);
      return {
        key: readKey(topic, entry.key, PLAIN_PREFIX_BYTES, entry.key.length),
        value: versionedRecord(topic, latest, readValue),
      };
    },
  };
}

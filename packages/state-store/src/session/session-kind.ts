import type { Serde } from "@eos/core";
import { SEGMENTED_PREFIX_BYTES } from "../bytes/physical-key.ts";
import { rangeReader } from "../key-value/range-reader.ts";
import type { ValueForm } from "../key-value/value-form.ts";
import { readSessionEnd, SESSION_SUFFIX_BYTES } from "../keys/session-key.ts";
import type { SegmentOptions } from "../segments/segment-options.ts";
import { segmentedFormat } from "../segments/segmented-format.ts";
import type { StoreKind } from "../store-kind.ts";
import type { Windowed } from "../window/windowed.ts";
import { readSession, SessionReader } from "./session-reader.ts";
import type { ReadOnlySessionStore, SessionStore } from "./session-store.ts";
import { SessionWriter } from "./session-writer.ts";

/** Session stores, whose changelog is that of Kafka Streams' session stores. */
export function sessionKind<K, V>(
  keySerde: Serde<K>,
  form: ValueForm<V>,
  segments: SegmentOptions,
): StoreKind<SessionStore<K, V>, ReadOnlySessionStore<K, V>, Windowed<K>, V> {
  const readKey = rangeReader(keySerde);
  return {
    changelogKind: "session",
    retentionMs: segments.retentionMs,
    format: segmentedFormat("session", SESSION_SUFFIX_BYTES, readSessionEnd, segments),
    create: (bytes, context) => new SessionWriter(bytes, context, keySerde, form, segments),
    createReadOnly: (bytes, context) => new SessionReader(bytes, context, keySerde, form, segments),
    read: (topic, { key, value }) => ({
      key: {
        key: readKey(topic, key, SEGMENTED_PREFIX_BYTES, key.length - SESSION_SUFFIX_BYTES),
        window: readSession(key),
      },
      value: value.isDeleted ? null : form.read(topic, value),
    }),
  };
}

import type { Serde } from "@eos/core";
import { SEGMENTED_PREFIX_BYTES } from "../bytes/physical-key.ts";
import { rangeReader } from "../key-value/range-reader.ts";
import type { ValueForm } from "../key-value/value-form.ts";
import { readWindowStart, WINDOW_SUFFIX_BYTES } from "../keys/window-key.ts";
import type { SegmentOptions } from "../segments/segment-options.ts";
import { segmentedFormat } from "../segments/segmented-format.ts";
import type { StoreKind } from "../store-kind.ts";
import { readWindow, WindowReader } from "./window-reader.ts";
import type { ReadOnlyWindowStore, WindowStore } from "./window-store.ts";
import { WindowWriter } from "./window-writer.ts";
import type { Windowed } from "./windowed.ts";

/** The options that decide what a window store does, filled in. */
export interface WindowShape extends SegmentOptions {
  readonly windowSizeMs: number;
  readonly retainDuplicates: boolean;
}

/** Window stores, whose changelog is that of Kafka Streams' window stores. */
export function windowKind<K, V>(
  keySerde: Serde<K>,
  form: ValueForm<V>,
  shape: WindowShape,
): StoreKind<WindowStore<K, V>, ReadOnlyWindowStore<K, V>, Windowed<K>, V> {
  const readKey = rangeReader(keySerde);
  return {
    changelogKind: "window",
    retentionMs: shape.retentionMs,
    format: segmentedFormat("window", WINDOW_SUFFIX_BYTES, readWindowStart, shape),
    create: (bytes, context) => new WindowWriter(bytes, context, keySerde, form, shape),
    createReadOnly: (bytes, context) => new WindowReader(bytes, context, keySerde, form, shape),
    read: (topic, { key, value }) => ({
      key: {
        key: readKey(topic, key, SEGMENTED_PREFIX_BYTES, key.length - WINDOW_SUFFIX_BYTES),
        window: readWindow(key, shape.windowSizeMs),
      },
      value: value.isDeleted ? null : form.read(topic, value),
    }),
  };
}

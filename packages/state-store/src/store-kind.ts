import type { ByteReader, ByteStore, ChangelogFormat } from "./bytes/byte-store.ts";
import type { ChangelogKind } from "./changelog/changelog-topic.ts";
import type { EngineEntry } from "./engine/store-engine.ts";
import type { OpenIterators } from "./iterators/open-iterators.ts";
import type { StoreMetrics } from "./metrics/store-metrics.ts";

/** What a typed store knows of its surroundings. */
export interface StoreContext {
  readonly storeName: string;
  /** The topic that serdes are told: the changelog's. */
  readonly topic: string;
  /** Timestamp of the record being processed, ms since the epoch. */
  timestamp(): number;
  readonly metrics: StoreMetrics;
  /** Opens the iterators of ranges: they are counted, and end when the store closes. */
  readonly iterators: OpenIterators;
}

/** What makes a kind of store of sorted bytes. K and V are the keys and values of its changes, as their watchers see them. */
export interface StoreKind<S, R, K = unknown, V = unknown> {
  readonly changelogKind: ChangelogKind;
  readonly format: ChangelogFormat;
  /** How long the changelog must keep records; `null`: for ever (compaction). */
  readonly retentionMs: number | null;
  create(bytes: ByteStore, context: StoreContext): S;
  /** The same reads of the committed state alone. */
  createReadOnly(bytes: ByteReader, context: StoreContext): R;
  /** What an entry says, for those who watch changes. Deleted: `null`. @param topic what serdes are told */
  read(topic: string, entry: EngineEntry): { readonly key: K; readonly value: V | null };
}

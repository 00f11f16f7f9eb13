import type { StoreEngine } from "./store-engine.ts";

const SAMPLE_ENTRIES = 1_000;

/** Entries counted up to a thousand, and beyond that estimated from their mean size. */
export async function estimateEntries(engine: StoreEngine, totalBytes: () => Promise<number>): Promise<number> {
  let entries = 0;
  let bytes = 0;
  for await (const { key, value } of engine.iterate({}, "forward")) {
    entries++;
    bytes += key.length + value.buffer.length;
    if (entries === SAMPLE_ENTRIES) return Math.max(entries, Math.round(((await totalBytes()) / bytes) * entries));
  }
  return entries;
}

import { Arena } from "../bytes/arena.ts";
import type { StoreEngine } from "./store-engine.ts";

const BATCH_BYTES = 1024 * 1024;

/** Copies what `source` holds as of now into an empty engine, position last: broken off, the copy knows of no position. */
export async function copyEntries(source: StoreEngine, target: StoreEngine): Promise<void> {
  const { position } = source;
  const nowhere = target.position;
  const entries = source.iterate({}, "forward");
  let arena = new Arena();
  let batch = target.batch();
  for await (const { key, value } of entries) {
    batch.put(arena.write(key, key.length, value.bytes(), value.timestamp, value.expiresAt));
    if (arena.bytes < BATCH_BYTES) continue;
    await batch.write(nowhere);
    arena = new Arena();
    batch = target.batch();
  }
  await batch.write(position);
}

import { expiredUntil, FIRST_EXPIRY, readExpiryKey } from "../bytes/expiry-index.ts";
import type { OverlayStore } from "../bytes/overlay-store.ts";
import { PLAIN_PREFIX_BYTES, PhysicalKey } from "../bytes/physical-key.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { StoreEngine } from "../engine/store-engine.ts";

/** So many values are deleted after one commit: the rest is found again after the next. */
const SWEPT_AT_ONCE = 1_000;

/**
 * Deletes what has expired (`ttlMs`), with tombstones in the changelog: a store restored from it, or another program
 * that reads it, must not see those values again. Reads hide them from the moment they expire.
 */
export class ExpirySweep {
  readonly #key = new PhysicalKey(PLAIN_PREFIX_BYTES);

  /** `null` for a store in which nothing expires. */
  static async of(engine: StoreEngine, known: ExpirySweep | null): Promise<ExpirySweep | null> {
    if (known !== null) return known;
    for await (const _listed of engine.iterate({ gte: FIRST_EXPIRY }, "forward")) return new ExpirySweep();
    return null;
  }

  /** The tombstones belong to the transaction that is being filled. */
  async run(engine: StoreEngine, store: OverlayStore): Promise<void> {
    const listed: Buffer[] = [];
    const range = { gte: FIRST_EXPIRY, lt: expiredUntil(engine.position.streamTime) };
    for await (const { key } of engine.iterate(range, "forward")) {
      if (listed.push(key) === SWEPT_AT_ONCE) break;
    }
    for (const entry of listed) {
      const { key, expiresAt } = readExpiryKey(entry);
      this.#key.setRange(key, 1, key.length);
      this.#key.seal();
      // Put again meanwhile, perhaps with another time or none: then it is listed again, or not at all.
      if (store.getExpired(this.#key)?.expiresAt === expiresAt) store.put(this.#key, null, expiresAt, NEVER);
      store.swept(entry);
    }
  }
}

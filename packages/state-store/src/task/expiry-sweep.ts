import { setImmediate as nextTurn } from "node:timers/promises";
import { expiredUntil, FIRST_EXPIRY, readExpiryKey } from "../bytes/expiry-index.ts";
import type { OverlayStore } from "../bytes/overlay-store.ts";
import { PLAIN_PREFIX_BYTES, PhysicalKey } from "../bytes/physical-key.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { StoreEngine } from "../engine/store-engine.ts";

/** So many are deleted after one commit, or twice as many as it has put: the rest is found again after the next. */
const SWEPT_AT_LEAST = 1_000;
const SWEPT_A_PUT = 2;
/** So many are looked up before others have their turn: heartbeats, sockets. */
const SWEPT_A_TURN = 1_000;

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

  /**
   * The tombstones belong to the transaction that is being filled.
   * @param put - how many values that expire the commit has put
   */
  async run(engine: StoreEngine, store: OverlayStore, put: number): Promise<void> {
    const limit = Math.max(SWEPT_AT_LEAST, put * SWEPT_A_PUT);
    const range = { gte: FIRST_EXPIRY, lt: expiredUntil(engine.position.streamTime) };
    let found = 0;
    let listed: Buffer[] = [];
    for await (const { key } of engine.iterate(range, "forward")) {
      listed.push(key);
      if (++found === limit) break;
      if (listed.length < SWEPT_A_TURN) continue;
      this.#sweep(listed, store);
      listed = [];
      await nextTurn();
    }
    this.#sweep(listed, store);
  }

  #sweep(listed: readonly Buffer[], store: OverlayStore): void {
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

import type { Direction, EngineEntry } from "../engine/store-engine.ts";
import type { EntryCursor, EntrySource } from "./entry-source.ts";

/**
 * One sorted run of what layers and the engine hold: of equal keys the first layer's entry is the one that is given, and
 * a deleted one hides the others. All are sorted in `direction` already.
 *
 * @param layers - the newest first
 * @param below - what lies under them; `null` when nothing does
 */
export function mergeSorted(
  layers: readonly EntrySource[],
  below: AsyncIterator<EngineEntry, unknown> | null,
  direction: Direction,
): EntryCursor {
  return new MergedEntries(layers, below, direction);
}

class MergedEntries implements EntryCursor {
  readonly #layers: readonly EntrySource[];
  readonly #below: AsyncIterator<EngineEntry, unknown> | null;
  readonly #sign: 1 | -1;
  readonly #heads: (EngineEntry | undefined)[];
  #belowHead: EngineEntry | undefined;
  /** Whether the head below is the current one: `undefined` is then its end. */
  #isBelowKnown: boolean;

  constructor(layers: readonly EntrySource[], below: AsyncIterator<EngineEntry, unknown> | null, direction: Direction) {
    this.#layers = layers;
    this.#below = below;
    this.#sign = direction === "forward" ? 1 : -1;
    this.#heads = layers.map((layer) => layer.next());
    this.#isBelowKnown = below === null;
  }

  next(): EngineEntry | undefined | Promise<EngineEntry | undefined> {
    const live = this.#takeLive();
    return live === null ? this.#nextFromBelow() : live;
  }

  async close(): Promise<void> {
    await this.#below?.return?.();
  }

  async #nextFromBelow(): Promise<EngineEntry | undefined> {
    for (;;) {
      const below = await this.#below?.next();
      this.#belowHead = below === undefined || below.done === true ? undefined : below.value;
      this.#isBelowKnown = true;
      const live = this.#takeLive();
      if (live !== null) return live;
    }
  }

  /** `null`: what is below has to be asked first. */
  #takeLive(): EngineEntry | undefined | null {
    while (this.#isBelowKnown) {
      const first = this.#takeFirst();
      if (first === undefined || !first.value.isDeleted) return first;
    }
    return null;
  }

  /** Takes the first key off every head that has it. */
  #takeFirst(): EngineEntry | undefined {
    const heads = this.#heads;
    let first: EngineEntry | undefined;
    let firstLayer = -1;
    for (let layer = 0; layer < heads.length; layer++) {
      const head = heads[layer];
      if (head === undefined) continue;
      const order = this.#order(head, first);
      if (order < 0) {
        first = head;
        firstLayer = layer;
      } else if (order === 0) {
        this.#advance(layer);
      }
    }
    const below = this.#belowHead;
    if (below !== undefined) {
      const order = this.#order(below, first);
      if (order <= 0) {
        this.#belowHead = undefined;
        this.#isBelowKnown = false;
      }
      if (order < 0) return below;
    }
    if (first !== undefined) this.#advance(firstLayer);
    return first;
  }

  /** Negative when `entry` comes before `first`, or there is none yet. */
  #order(entry: EngineEntry, first: EngineEntry | undefined): number {
    return first === undefined ? -1 : this.#sign * entry.key.compare(first.key);
  }

  #advance(layer: number): void {
    this.#heads[layer] = this.#layers[layer]?.next();
  }
}

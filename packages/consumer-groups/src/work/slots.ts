/** Something that waits its turn. */
export interface SlotUser {
  /** There may be a slot now. */
  slotFree(): void;
}

/**
 * How many handlers may be outstanding at once. Whoever finds none free gets its turn in the order of asking.
 *
 * A handler that returns at once takes no slot. So a turn lasts until a slot is taken, or the user leaves; and it must
 * leave as soon as it has nothing to start, or those behind it wait for nothing.
 */
export class Slots {
  readonly #limit: number;
  /** In the order of asking; it is the turn of as many of the first as there are free slots. */
  readonly #waiting = new Set<SlotUser>();
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether `user` may start a handler now; if not, it is told when that changes. */
  mayStart(user: SlotUser): boolean {
    let free = this.#limit - this.#taken;
    if (free > this.#waiting.size) return true;
    for (const waiting of this.#waiting) {
      if (free-- <= 0) break;
      if (waiting === user) return true;
    }
    this.#waiting.add(user);
    return false;
  }

  take(user: SlotUser): void {
    this.#waiting.delete(user);
    this.#taken++;
  }

  release(): void {
    this.#taken--;
    this.#tell();
  }

  /** `user` has nothing to start any more. */
  leave(user: SlotUser): void {
    if (this.#waiting.delete(user)) this.#tell();
  }

  /** One more has its turn: the last of them. */
  #tell(): void {
    let free = this.#limit - this.#taken;
    if (free > this.#waiting.size) return;
    for (const user of this.#waiting) {
      if (--free > 0) continue;
      if (free === 0) user.slotFree();
      return;
    }
  }
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Slots, type SlotUser } from "./slots.ts";

/** Has so many handlers to start; each takes a slot, or returns at once. */
class User implements SlotUser {
  readonly #slots: Slots;
  readonly name: string;
  wants = 0;
  told = 0;

  constructor(slots: Slots, name = "") {
    this.#slots = slots;
    this.name = name;
  }

  slotFree(): void {
    this.told++;
  }

  mayStart(): boolean {
    return this.#slots.mayStart(this);
  }
}

describe("Slots", () => {
  it("gives a free slot to whoever asks, and no more than there are", () => {
    const slots = new Slots(2);
    const [a, b, c] = [new User(slots), new User(slots), new User(slots)];
    expect(a.mayStart()).toBe(true);
    slots.take(a);
    expect(b.mayStart()).toBe(true);
    slots.take(b);
    expect(c.mayStart()).toBe(false);
    slots.release();
    expect(c.told).toBe(1);
    expect(c.mayStart()).toBe(true);
  });

  it("gives turns in the order of asking, not to whoever comes when a slot is free", () => {
    const slots = new Slots(1);
    const [a, b, c, late] = [new User(slots), new User(slots), new User(slots), new User(slots)];
    slots.take(a);
    expect([b.mayStart(), c.mayStart(), b.mayStart()]).toEqual([false, false, false]);
    slots.release();
    expect([b.told, c.told]).toEqual([1, 0]);
    expect([late.mayStart(), c.mayStart()]).toEqual([false, false]);
    expect(b.mayStart()).toBe(true);
    slots.take(b);
    slots.release();
    expect([c.told, late.told]).toEqual([1, 0]);
  });

  it("keeps a turn until a slot is taken, since a handler that returns at once takes none", () => {
    const slots = new Slots(1);
    const [a, b, c] = [new User(slots), new User(slots), new User(slots)];
    slots.take(a);
    expect([b.mayStart(), c.mayStart()]).toEqual([false, false]);
    slots.release();
    for (let handler = 0; handler < 5; handler++) expect(b.mayStart()).toBe(true);
    slots.leave(b);
    expect(c.told).toBe(1);
    expect(c.mayStart()).toBe(true);
  });

  it("tells the next one when somebody leaves who had a turn", () => {
    const slots = new Slots(2);
    const users = Array.from({ length: 5 }, () => new User(slots));
    const [a, b, c, d, e] = users as [User, User, User, User, User];
    slots.take(a);
    slots.take(b);
    for (const user of [c, d, e]) expect(user.mayStart()).toBe(false);
    slots.release();
    slots.release();
    expect([c.told, d.told, e.told]).toEqual([1, 1, 0]);
    slots.leave(c);
    expect(e.told).toBe(1);
  });

  it("is never above its limit, and nobody who has something to start is left untold while a slot is free", () => {
    const step = fc.record({
      user: fc.nat(4),
      does: fc.constantFrom("want", "run", "runSync", "settle", "leave", "leaveAll"),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
        const slots = new Slots(limit);
        const users = Array.from({ length: 5 }, (_, index) => new User(slots, String(index)));
        /** Those told that have not looked yet. */
        const seen = new Map(users.map((user) => [user, 0]));
        const isTold = (user: User): boolean => user.told > (seen.get(user) ?? 0);
        /** In vain. */
        const asking = new Set<User>();
        let taken = 0;
        const look = (user: User, takes: boolean): void => {
          seen.set(user, user.told);
          while (user.wants > 0) {
            if (!user.mayStart()) {
              asking.add(user);
              return;
            }
            user.wants--;
            if (takes) {
              asking.delete(user);
              slots.take(user);
              taken++;
            }
            expect(taken).toBeLessThanOrEqual(limit);
          }
          asking.delete(user);
          slots.leave(user);
        };
        for (const { user: index, does } of steps) {
          const user = users[index] as User;
          if (does === "want") user.wants++;
          else if (does === "run") look(user, true);
          else if (does === "runSync") look(user, false);
          else if (does === "settle" && taken > 0) {
            taken--;
            slots.release();
          } else if (does === "leave") {
            user.wants = 0;
            look(user, true);
          }
          // Whoever asked first is told, unless it has looked since.
          const free = limit - taken;
          const turns = [...asking].slice(0, free);
          for (const waiting of turns) expect(isTold(waiting), `user ${waiting.name} sleeps`).toBe(true);
        }
        // All of them get there in the end.
        for (let round = 0; round < 200 && asking.size > 0; round++) {
          if (taken > 0) {
            taken--;
            slots.release();
          }
          for (const user of users) if (isTold(user)) look(user, round % 2 === 0);
        }
        expect(asking.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

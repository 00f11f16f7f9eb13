import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { InvalidTransitionError } from "./errors.ts";
import { createStateMachine } from "./state-machine.ts";
import type { StateMachine } from "./state-machine.ts";

function createDoor() {
  return createStateMachine({
    name: "door",
    initial: "closed",
    transitions: { open: ["closed"], closed: ["open", "locked"], locked: ["closed"] },
  });
}

describe("createStateMachine", () => {
  it("infers its states from the table", () => {
    expectTypeOf(createDoor()).toEqualTypeOf<StateMachine<"open" | "closed" | "locked">>();
  });

  it("starts in the initial state and follows its table", () => {
    const door = createDoor();
    expect(door.state).toBe("closed");
    expect(door.can("locked")).toBe(true);
    door.transition("locked");
    expect(door.state).toBe("locked");
    expect(door.is("open", "locked")).toBe(true);
    expect(door.is("open")).toBe(false);
  });

  it("refuses a change that the table does not have and stays where it is", () => {
    const door = createDoor();
    door.transition("locked");
    expect(door.can("open")).toBe(false);
    expect(() => door.transition("open")).toThrow(InvalidTransitionError);
    expect(() => door.transition("locked")).toThrow("door cannot go from locked to locked");
    expect(door.state).toBe("locked");
  });

  it("tells the listeners after the change, in the order they were added", () => {
    const door = createDoor();
    const told: string[] = [];
    door.onTransition((next, previous) => told.push(`first ${previous}>${next} ${door.state}`));
    door.onTransition((next, previous) => told.push(`second ${previous}>${next}`));
    door.transition("open");
    expect(told).toEqual(["first closed>open open", "second closed>open"]);
  });

  it("goes on when a listener throws", () => {
    const door = createDoor();
    const told: string[] = [];
    door.onTransition(() => {
      throw new Error("listener bug");
    });
    door.onTransition((next) => told.push(next));
    door.transition("open");
    door.transition("closed");
    expect(told).toEqual(["open", "closed"]);
  });

  it("tells every listener the changes in the order they happened, also when a listener changes the state", () => {
    const door = createDoor();
    const told: string[] = [];
    door.onTransition((next) => {
      if (next === "open") door.transition("closed");
    });
    door.onTransition((next, previous) => told.push(`${previous}>${next}`));
    door.transition("open");
    expect(told).toEqual(["closed>open", "open>closed"]);
    expect(door.state).toBe("closed");
  });

  it("stops telling a listener that was taken off, even within the same change", () => {
    const door = createDoor();
    const told: string[] = [];
    const listener = (next: string): void => void told.push(next);
    door.onTransition(() => takeOff());
    const takeOff = door.onTransition(listener);
    const takeOther = door.onTransition(listener);
    door.transition("open");
    expect(told).toEqual(["open"]);
    takeOther();
    door.transition("closed");
    expect(told).toEqual(["open"]);
  });

  it("only ever walks along its table", () => {
    const states = ["a", "b", "c", "d"] as const;
    const targets = fc.subarray([...states]);
    const tables = fc.record({ a: targets, b: targets, c: targets, d: targets });
    fc.assert(
      fc.property(tables, fc.array(fc.constantFrom(...states)), (transitions, walk) => {
        const machine = createStateMachine<(typeof states)[number]>({ name: "walk", initial: "a", transitions });
        const told: string[] = [];
        machine.onTransition((next, previous) => told.push(`${previous}${next}`));
        const expected: string[] = [];
        let state: (typeof states)[number] = "a";
        for (const to of walk) {
          const legal = transitions[state].includes(to);
          expect(machine.can(to)).toBe(legal);
          if (legal) {
            machine.transition(to);
            expected.push(`${state}${to}`);
            state = to;
          } else {
            expect(() => machine.transition(to)).toThrow(InvalidTransitionError);
          }
          expect(machine.state).toBe(state);
        }
        expect(told).toEqual(expected);
      }),
    );
  });
});

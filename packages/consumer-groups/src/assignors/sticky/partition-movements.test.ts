import { describe, expect, test } from "vitest";
import { PartitionIndex } from "../partition-index.ts";
import { PartitionMovements } from "./partition-movements.ts";

const A = 0;
const B = 1;
const C = 2;
const movements = () => new PartitionMovements(new PartitionIndex(["orders"], new Map([["orders", 30]])), 3);

describe("PartitionMovements", () => {
  test("Who has had a partition of the topic gives that one back instead of another.", () => {
    const moved = movements();
    moved.record(4, A, B);
    expect(moved.insteadOf(9, B, A)).toBe(4);
    expect(moved.insteadOf(9, B, C)).toBe(9);
    expect(moved.insteadOf(9, A, B)).toBe(9);
  });

  test("A partition that went on counts from where it was first, and one that came back does not count.", () => {
    const moved = movements();
    moved.record(4, A, B);
    moved.record(4, B, C);
    expect(moved.insteadOf(9, C, A)).toBe(4);
    moved.record(4, C, A);
    expect(moved.insteadOf(9, C, A)).toBe(9);
    expect(moved.insteadOf(9, A, C)).toBe(9);
  });

  // A JVM's HashSet prints [orders-8, orders-23] after this; with the two alone it prints the other order.
  test("Of many, it is the one that Java's HashSet has first, which never shrinks.", () => {
    const moved = movements();
    for (let id = 0; id < 24; id++) moved.record(id, A, B);
    for (let id = 0; id < 24; id++) if (id !== 8) moved.record(id, B, A);
    moved.record(23, A, B);
    expect(moved.insteadOf(29, B, A)).toBe(8);
  });
});

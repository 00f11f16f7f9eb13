import { type Clock, systemClock } from "@eos/core";
import { describe, expect, it } from "vitest";
import { PartitionQueue } from "./partition-queue.ts";
import { QueueBounds } from "./queue-bounds.ts";

const BOUNDS = { maxBytes: 1_000_000, maxRecords: 1_000, resumeAt: 0.5 };

function setUp() {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const bounds = new QueueBounds({ ...BOUNDS, clock });
  const queue = new PartitionQueue("topic", 0, 0, null);
  return {
    bounds,
    queue,
    passes: (ms: number) => (nowMs += ms),
    fill: (records: number, bytes = records) => {
      queue.records += records;
      queue.bytes += bytes;
      bounds.filled(queue);
    },
    drain: (records: number, bytes = records) => {
      queue.records -= records;
      queue.bytes -= bytes;
      queue.drained += records;
    },
  };
}

describe("the bounds of a queue", () => {
  it("keep a queue above its records out until half of them are left.", () => {
    const { bounds, queue, fill, drain, passes } = setUp();
    fill(1_001);
    expect(bounds.hasRoom(queue)).toBe(false);
    passes(10_000);
    drain(500);
    expect(bounds.hasRoom(queue)).toBe(false);
    drain(1);
    expect(bounds.hasRoom(queue)).toBe(true);
    fill(499);
    expect(bounds.hasRoom(queue)).toBe(true);
  });

  it("keep a queue above its bytes out, however fast it is emptied.", () => {
    const { bounds, queue, fill, drain, passes } = setUp();
    bounds.answered(10);
    fill(20_000, 2_000_000);
    passes(1);
    drain(10_000, 400_000);
    expect(bounds.hasRoom(queue)).toBe(false);
    passes(1);
    drain(9_000, 1_100_000);
    expect(bounds.hasRoom(queue)).toBe(true);
  });

  it("let a queue in again when what it holds will be gone before an answer can come.", () => {
    const { bounds, queue, fill, drain, passes } = setUp();
    bounds.answered(10);
    fill(10_000);
    passes(1);
    drain(200);
    // 200 records a millisecond are 2,000 in ten, 4,000 to be on the safe side: fewer than there are.
    expect(bounds.hasRoom(queue)).toBe(false);
    passes(4);
    drain(6_000);
    expect(bounds.hasRoom(queue)).toBe(true);
  });

  it("take a slow handler's queue for what it is.", () => {
    const { bounds, queue, fill, drain, passes } = setUp();
    bounds.answered(10);
    for (let round = 0; round < 5; round++) {
      fill(2_001);
      passes(1_000);
      drain(1_000);
      expect(bounds.hasRoom(queue)).toBe(false);
      passes(1_000);
      drain(1_001);
      expect(bounds.hasRoom(queue)).toBe(true);
    }
  });

  it("do not take the time in which a queue was empty for slowness.", () => {
    const { bounds, queue, fill, drain, passes } = setUp();
    bounds.answered(10);
    fill(5_000);
    passes(5);
    drain(5_000);
    expect(bounds.hasRoom(queue)).toBe(true);
    passes(10_000);
    expect(bounds.hasRoom(queue)).toBe(true);
    fill(15_000);
    expect(bounds.hasRoom(queue)).toBe(true);
  });

  it("know when there will be room, by records and by bytes.", () => {
    const { bounds, queue, fill, drain, passes } = setUp();
    fill(3_000);
    passes(2);
    // Nothing has been taken yet.
    expect(bounds.roomInMs(queue)).toBe(2);
    passes(8);
    drain(500);
    // 50 a millisecond, and 2,000 above the half of 1,000.
    expect(bounds.roomInMs(queue)).toBe(40);
    fill(0, 1_000_000);
    // 2,500 records of 1,002,500 bytes, of which 502,500 are too many.
    expect(bounds.roomInMs(queue)).toBe(40);
    fill(0, 9_000_000);
    expect(Math.round(bounds.roomInMs(queue))).toBe(48);
  });
});

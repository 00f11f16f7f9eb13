import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordBatch } from "../records/record-batch-reader.ts";
import { PartitionQueue } from "./partition-queue.ts";

function batch(baseOffset: number, records: number, sizeInBytes: number): RecordBatch {
  return { baseOffset, nextOffset: baseOffset + records, count: records, sizeInBytes } as RecordBatch;
}

/** What a fetcher and a task do to a queue; `process` takes a batch and is done with it. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant("push"), records: fc.integer({ min: 1, max: 9 }), bytes: fc.nat(500) }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("process") }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("seek"), offset: fc.nat(1_000) }) },
  ),
  { maxLength: 60 },
);

describe("PartitionQueue", () => {
  test("Batches leave in the order they came, and its position, records, bytes and emptiness are those of a plain array.", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const queue = new PartitionQueue("in", 0, 0, null);
        let model: RecordBatch[] = [];
        let position = 0;
        let epoch = 0;
        for (const step of sequence) {
          if (step.kind === "push" && "records" in step) {
            const pushed = batch(position, step.records, step.bytes);
            queue.push(pushed);
            model.push(pushed);
            position = pushed.nextOffset;
          } else if (step.kind === "process") {
            const taken = queue.shift();
            expect(taken).toBe(model.shift() ?? null);
            if (taken !== null) queue.release(taken);
          } else if ("offset" in step) {
            queue.seek(step.offset);
            model = [];
            position = step.offset;
            epoch++;
          }
          expect(queue.position).toBe(position);
          expect(queue.epoch).toBe(epoch);
          expect(queue.isEmpty).toBe(model.length === 0);
          expect(queue.records).toBe(model.reduce((sum, { count }) => sum + count, 0));
          expect(queue.bytes).toBe(model.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0));
        }
      }),
    );
  });

  test("A batch that was taken counts until it is released.", () => {
    const queue = new PartitionQueue("in", 0, 0, null);
    queue.push(batch(0, 1, 100));
    queue.push(batch(1, 3, 10));
    const taken = queue.shift() as RecordBatch;
    expect([queue.records, queue.bytes]).toEqual([4, 110]);
    queue.release(taken);
    expect([queue.records, queue.bytes]).toEqual([3, 10]);
  });

  test("Thousands of batches go through it in order.", () => {
    const queue = new PartitionQueue("in", 0, 0, null);
    let next = 0;
    for (let offset = 0; offset < 5_000; offset++) {
      queue.push(batch(offset, 1, 1));
      if (offset % 3 !== 0) expect(queue.shift()?.baseOffset).toBe(next++);
    }
    while (!queue.isEmpty) expect(queue.shift()?.baseOffset).toBe(next++);
    expect(next).toBe(5_000);
  });
});

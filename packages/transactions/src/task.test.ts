import {
  BatchBuffers,
  type FetchedRecord,
  PartitionQueue,
  readRecordBatches,
  type RecordBatch,
  RecordBatchWriter,
  RecordSource,
  TransactionAbortedError,
} from "@eos/client";
import { stringSerde } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutputWriter } from "./output-writer.ts";
import type { ProcessingErrorAnswer, Transform } from "./options.ts";
import { Task, type TaskOwner } from "./task.ts";
import { TaskContext } from "./transform-context.ts";

type Copy = Transform<string, string, string, string>;

const buffers = new BatchBuffers();

/** A batch of records whose values are their offsets. */
function batchOf(baseOffset: number, count: number): RecordBatch {
  const writer = new RecordBatchWriter(buffers, 1024);
  for (let i = 0; i < count; i++) writer.append(i, Buffer.alloc(0), -1, -1, String(baseOffset + i), null, 0, 0);
  const bytes = Buffer.from(
    writer.seal({ producerId: -1, producerEpoch: -1, baseSequence: -1, transactional: false, codec: null }),
  );
  writer.free();
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  const [batch] = readRecordBatches(bytes, 0, bytes.length, {
    topic: "in",
    partition: 0,
    isolation: "read_committed",
    aborted: [],
    fetchOffset: 0,
    verifyCrc: true,
  });
  return batch as RecordBatch;
}

function fill(queue: PartitionQueue, from: number, batchSizes: readonly number[]): void {
  let offset = from;
  for (const size of batchSizes) {
    queue.push(batchOf(offset, size));
    offset += size;
  }
}

interface Harness {
  readonly queue: PartitionQueue;
  readonly task: Task<string, string, string, string>;
  readonly written: string[];
  readonly skipped: number[];
  readonly failures: unknown[];
}

function harness(
  transform: Copy,
  onProcessingError: (error: unknown, attempt: number) => ProcessingErrorAnswer | Promise<ProcessingErrorAnswer> = () =>
    "fail",
): Harness {
  const written: string[] = [];
  const skipped: number[] = [];
  const failures: unknown[] = [];
  const queue = new PartitionQueue("in", 0, 0, null);
  const outputs = {
    write: (_input: unknown, result: { value: string }) => written.push(result.value),
  } as unknown as OutputWriter<string, string>;
  const owner: TaskOwner<string, string> = {
    outputs,
    isFull: false,
    touched: () => undefined,
    resume: () => {
      task.run(Infinity);
    },
    onProcessingError: (error, _record, attempt) => onProcessingError(error, attempt),
    onSkipped: (_error, record) => skipped.push(record.offset),
    onUnreadable: (error) => failures.push(error),
    fail: (error) => failures.push(error),
  };
  const source = new RecordSource("in", 0, stringSerde, stringSerde);
  const task = new Task(queue, source, new TaskContext(0), transform, owner);
  return { queue, task, written, skipped, failures };
}

const copy = ({ value }: FetchedRecord<string, string>): { value: string | null } => ({ value });
const offsets = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => String(from + i));

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("task", () => {
  it("processes what is queued and moves its position behind the last batch", () => {
    const { queue, task, written } = harness(copy);
    fill(queue, 0, [3, 1, 5]);
    expect(task.run(Infinity)).toBe("idle");
    expect(written).toEqual(offsets(0, 9));
    expect(task.position).toBe(9);
    expect(queue.bytes).toBe(0);
  });

  it("keeps the order of records whose promises settle in any order, and writes each once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 5 }),
        fc.array(fc.constantFrom("sync", "microtask", "macrotask"), { minLength: 1 }),
        async (batchSizes, kinds) => {
          const total = batchSizes.reduce((sum, size) => sum + size, 0);
          const { queue, task, written } = harness((record) => {
            const kind = kinds[record.offset % kinds.length];
            const result = { value: record.value };
            if (kind === "sync") return result;
            if (kind === "microtask") return Promise.resolve(result);
            return new Promise((resolve) => setImmediate(() => resolve(result)));
          });
          fill(queue, 0, batchSizes);
          task.run(Infinity);
          await eventually(() => task.position === total);
          expect(written).toEqual(offsets(0, total));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("ignores a promise that settles after the task was rewound, and processes its record again", async () => {
    let settle = (): void => {};
    let calls = 0;
    const { queue, task, written } = harness((record) => {
      calls++;
      if (calls > 1) return { value: `again ${record.value}` };
      return new Promise((resolve) => {
        settle = () => resolve({ value: "late" });
      });
    });
    fill(queue, 0, [1]);
    expect(task.run(Infinity)).toBe("waiting");
    task.rewind(0);
    settle();
    fill(queue, 0, [1]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(task.run(Infinity)).toBe("idle");
    expect(written).toEqual(["again 0"]);
  });

  it("does not go on after a drop before it is rewound: the batch at hand is gone", () => {
    const { queue, task, written } = harness((record) => (record.offset === 1 ? new Promise(() => {}) : copy(record)));
    fill(queue, 0, [3, 2]);
    expect(task.run(Infinity)).toBe("waiting");
    task.drop();
    expect(task.isDropped).toBe(true);
    expect(task.run(Infinity)).toBe("idle");
    expect(written).toEqual(["0"]);
    expect(task.position).toBe(1);
  });

  // A store that fails inside transform drops the task there and then.
  it("that is dropped inside transform moves no position and asks nobody, whatever transform makes of it", async () => {
    for (const way of ["returns", "throws", "resolves", "rejects"] as const) {
      let asked = 0;
      const { queue, task } = harness(
        (record) => {
          if (record.offset !== 2) return copy(record);
          task.drop();
          if (way === "returns") return undefined;
          if (way === "resolves") return Promise.resolve();
          if (way === "rejects") return Promise.reject(new Error("rejected"));
          throw new Error("thrown");
        },
        () => {
          asked++;
          return "skip";
        },
      );
      fill(queue, 0, [5]);
      expect(task.run(Infinity)).toBe("waiting");
      expect(task.pending).toBeNull();
      await new Promise((resolve) => setImmediate(resolve));
      expect([way, task.position, asked]).toEqual([way, 2, 0]);
      expect(task.run(Infinity)).toBe("idle");
    }
  });

  it("that is dropped while it tries a record again moves no position", async () => {
    const { queue, task } = harness(
      () => {
        if (attempts++ === 0) throw new Error("once");
        task.drop();
      },
      () => "retry",
    );
    let attempts = 0;
    fill(queue, 0, [1]);
    task.run(Infinity);
    await eventually(() => attempts === 2);
    expect(task.position).toBe(0);
  });

  it("is quiet only when the promises of dropped records have settled as well", async () => {
    const settle: (() => void)[] = [];
    const { queue, task } = harness(() => new Promise<void>((resolve) => settle.push(resolve)));
    fill(queue, 0, [1]);
    await task.quiet();
    task.run(Infinity);
    task.drop();
    let isQuiet = false;
    void task.quiet().then(() => (isQuiet = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect([task.pending, task.outstanding?.record.offset, isQuiet]).toEqual([null, 0, false]);
    for (const resolve of settle) resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect([task.outstanding, isQuiet]).toEqual([null, true]);
  });

  it("tells everybody who waits for its record that it has settled", async () => {
    let settle = (): void => {};
    const { queue, task } = harness(() => new Promise<void>((resolve) => (settle = resolve)));
    fill(queue, 0, [1]);
    task.run(Infinity);
    const waiting = Promise.all([task.settled(), task.settled()]);
    settle();
    await waiting;
    expect(task.position).toBe(1);
  });

  it("gives its context the timestamp of the record being processed", () => {
    const seen: (readonly [number, number])[] = [];
    const { queue, task } = harness((record, context) => {
      seen.push([record.timestamp, (context as TaskContext).timestamp]);
    });
    expect(task.context.timestamp).toBe(-1);
    fill(queue, 0, [3]);
    task.run(Infinity);
    expect(seen).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });

  it("skips, retries or fails a record as the answer says, now or later", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("ok", "skip", "skip later"), { minLength: 1, maxLength: 30 }),
        async (plan) => {
          const bad = (record: FetchedRecord<string, string>): boolean => plan[record.offset] !== "ok";
          const { queue, task, written, skipped } = harness(
            (record) => {
              if (bad(record)) throw new Error(`bad ${record.offset}`);
              return copy(record);
            },
            (error) => {
              const offset = Number((error as Error).message.slice(4));
              return plan[offset] === "skip" ? "skip" : Promise.resolve("skip" as const);
            },
          );
          fill(queue, 0, [plan.length]);
          task.run(Infinity);
          await eventually(() => task.position === plan.length);
          const good = offsets(0, plan.length).filter((offset) => plan[Number(offset)] === "ok");
          expect(written).toEqual(good);
          expect(written.length + skipped.length).toBe(plan.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("skips a hundred thousand records in a row without growing the stack", () => {
    const { queue, task, skipped } = harness(
      () => {
        throw new Error("always");
      },
      () => "skip",
    );
    fill(queue, 0, [50_000, 50_000]);
    expect(task.run(Infinity)).toBe("idle");
    expect(skipped).toHaveLength(100_000);
  });

  it("tries again with a growing attempt number, and stops at 'fail' without moving its position", async () => {
    const attempts: number[] = [];
    const { queue, task, failures } = harness(
      () => {
        throw new Error("always");
      },
      (_error, attempt) => {
        attempts.push(attempt);
        return attempt < 3 ? "retry" : "fail";
      },
    );
    fill(queue, 0, [1]);
    task.run(Infinity);
    await eventually(() => failures.length > 0);
    expect(attempts).toEqual([1, 2, 3]);
    expect(failures).toHaveLength(1);
    expect(task.position).toBe(0);
  });

  it("reports a batch that is damaged inside, and does not process behind it", () => {
    const { queue, task, written, failures } = harness(copy);
    fill(queue, 0, [2]);
    const damaged = batchOf(2, 2);
    damaged.recordsEnd -= 1;
    queue.push(damaged);
    fill(queue, 4, [1]);
    expect(task.run(Infinity)).toBe("waiting");
    expect(failures).toHaveLength(1);
    expect(written).toEqual(["0", "1", "2"]);
    expect(task.run(Infinity)).toBe("idle");
  });

  it("leaves a producer's failure to the recovery: no handler is asked, no record is skipped", () => {
    let asked = 0;
    const { queue, task, failures } = harness(
      () => {
        throw new TransactionAbortedError("aborted", { transactionalId: "t", cause: null, connectionLost: true });
      },
      () => {
        asked++;
        return "skip";
      },
    );
    fill(queue, 0, [1]);
    expect(task.run(Infinity)).toBe("waiting");
    expect(task.isDropped).toBe(true);
    expect([asked, failures.length, task.position]).toEqual([0, 0, 0]);
  });

  it("stops within the time it was given", () => {
    const { queue, task } = harness(copy);
    fill(queue, 0, [1000]);
    expect(task.run(0)).toBe("more");
    expect(task.position).toBeLessThan(1000);
    expect(task.run(Infinity)).toBe("idle");
    expect(task.position).toBe(1000);
  });
});

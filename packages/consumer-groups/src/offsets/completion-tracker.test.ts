import { decodeOffsetMetadata, encodeOffsetMetadata, type OffsetRange } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompletionTracker } from "./completion-tracker.ts";

function trackerOf(committed: number, started: readonly number[], completed: readonly number[]): CompletionTracker {
  const tracker = new CompletionTracker(committed, []);
  for (const offset of started) tracker.started(offset);
  for (const offset of completed) tracker.completed(offset);
  return tracker;
}

/** The same by sets of single offsets. */
class Reference {
  readonly open = new Set<number>();
  done = new Set<number>();
  restored: Set<number>;
  end: number;

  constructor(committed: number, completed: Iterable<number>) {
    this.restored = new Set(completed);
    this.end = committed;
    this.reach(committed);
  }

  reach(offset: number): void {
    this.end = Math.max(this.end, offset);
    while (this.restored.has(this.end)) this.end++;
  }

  get position(): number {
    return Math.min(...this.open, this.end);
  }

  /** A hole belongs to what is completed between the same two offsets in flight. */
  completedOffsets(): number[] {
    const completed = [...this.restored].filter((offset) => offset >= this.end);
    const bounds = [...this.open, this.end].sort((a, b) => a - b);
    for (const [index, bound] of bounds.entries()) {
      const next = bounds[index + 1];
      if (next === undefined) break;
      const between = Array.from({ length: next - bound - 1 }, (_, step) => bound + 1 + step);
      if (between.some((offset) => this.done.has(offset) || this.restored.has(offset))) completed.push(...between);
    }
    return completed.sort((a, b) => a - b);
  }
}

function toRanges(offsets: readonly number[]): OffsetRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const offset of offsets) {
    const last = ranges.at(-1);
    if (last?.to === offset) last.to++;
    else ranges.push({ from: offset, to: offset + 1 });
  }
  return ranges;
}

function toOffsets(ranges: readonly OffsetRange[]): number[] {
  return ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, step) => from + step));
}

type Step =
  | { readonly do: "start" | "pass"; readonly skip: number }
  | { readonly do: "complete"; readonly pick: number }
  | { readonly do: "completeUnknown"; readonly offset: number }
  | { readonly do: "restart" }
  | { readonly do: "reset"; readonly offset: number };

const skips = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(4) });
const steps = fc.array(
  fc.oneof(
    { weight: 140, arbitrary: fc.record({ do: fc.constant("start" as const), skip: skips }) },
    { weight: 80, arbitrary: fc.record({ do: fc.constant("complete" as const), pick: fc.nat() }) },
    { weight: 15, arbitrary: fc.record({ do: fc.constant("pass" as const), skip: skips }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("completeUnknown" as const), offset: fc.nat(400) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), offset: fc.nat(300) }) },
  ),
  { maxLength: 400, size: "max" },
);

describe("CompletionTracker", () => {
  it("agrees with sets of offsets, whatever happens", () => {
    fc.assert(
      fc.property(fc.nat(100), steps, (committed, happening) => {
        let tracker = new CompletionTracker(committed, []);
        let reference = new Reference(committed, []);
        // The log goes on behind what anybody has read.
        let next = committed;
        for (const step of happening) {
          [tracker, reference, next] = take(step, tracker, reference, next);
          const ranges = toRanges(reference.completedOffsets());
          expect({
            position: tracker.position,
            inFlight: tracker.inFlight,
            oldest: tracker.oldest,
            ranges: tracker.ranges(),
            rangeCount: tracker.rangeCount,
          }).toEqual({
            position: reference.position,
            inFlight: reference.open.size,
            oldest: reference.open.size === 0 ? null : Math.min(...reference.open),
            ranges,
            rangeCount: ranges.length,
          });
          if (tracker.rangesEnd < (ranges.at(-1)?.to ?? 0)) expect.fail("a range reaches beyond the end of all");
        }
      }),
      { numRuns: 50 },
    );
  });

  function take(
    step: Step,
    tracker: CompletionTracker,
    reference: Reference,
    next: number,
  ): [CompletionTracker, Reference, number] {
    switch (step.do) {
      case "start": {
        let offset = next + step.skip;
        for (; reference.restored.has(offset); offset++) expect(tracker.isCompleted(offset)).toBe(true);
        expect(tracker.isCompleted(offset)).toBe(false);
        tracker.started(offset);
        reference.reach(offset);
        reference.open.add(offset);
        reference.reach(offset + 1);
        return [tracker, reference, offset + 1];
      }
      case "complete": {
        const open = [...reference.open];
        const offset = open[step.pick % open.length];
        if (offset === undefined) break;
        tracker.completed(offset);
        reference.open.delete(offset);
        reference.done.add(offset);
        break;
      }
      case "completeUnknown":
        if (!reference.open.has(step.offset)) tracker.completed(step.offset);
        break;
      case "pass":
        tracker.passed(next + step.skip);
        reference.reach(next + step.skip);
        return [tracker, reference, next + step.skip];
      case "restart": {
        const text = encodeOffsetMetadata({ completed: tracker.ranges() }, tracker.position);
        const completed = decodeOffsetMetadata(text, tracker.position)?.completed ?? [];
        const { position } = reference;
        return [
          new CompletionTracker(tracker.position, completed),
          new Reference(position, reference.completedOffsets()),
          position,
        ];
      }
      case "reset":
        tracker.resetTo(step.offset);
        return [tracker, new Reference(step.offset, []), step.offset];
    }
    return [tracker, reference, next];
  }

  it("does every record of a log exactly once over any number of restarts", () => {
    const holes = fc.array(fc.nat(3), { minLength: 1, maxLength: 300, size: "max" });
    const runs = fc.array(fc.record({ inFlight: fc.integer({ min: 1, max: 40 }), completions: fc.nat(100) }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(holes, runs, fc.infiniteStream(fc.nat()), (skipped, lives, random) => {
        let end = 1_000;
        const log = skipped.map((skip) => {
          const offset = end + skip;
          end = offset + 1;
          return offset;
        });
        const timesDone = new Map<number, number>();
        let committed = 1_000;
        let text = "";
        // The last life has time for all that is left.
        for (const { inFlight, completions } of [...lives, { inFlight: 5, completions: log.length }]) {
          const tracker = new CompletionTracker(committed, decodeOffsetMetadata(text, committed)?.completed ?? []);
          const unread = log.filter((offset) => offset >= committed);
          const open: number[] = [];
          for (let done = 0; done < completions; done++) {
            while (open.length < inFlight && unread.length > 0) {
              const offset = unread.shift() as number;
              if (tracker.isCompleted(offset)) continue;
              tracker.started(offset);
              open.push(offset);
            }
            if (unread.length === 0) tracker.passed(end);
            if (open.length === 0) break;
            const [offset] = open.splice((random.next().value as number) % open.length, 1) as [number];
            timesDone.set(offset, (timesDone.get(offset) ?? 0) + 1);
            tracker.completed(offset);
          }
          committed = tracker.position;
          text = encodeOffsetMetadata({ completed: tracker.ranges() }, committed);
        }
        expect([...timesDone].sort(([a], [b]) => a - b)).toEqual(log.map((offset) => [offset, 1]));
      }),
    );
  });

  it("is at the committed offset before anything happens", () => {
    const tracker = new CompletionTracker(42, []);
    expect(tracker.position).toBe(42);
    expect(tracker.oldest).toBeNull();
    expect(tracker.ranges()).toEqual([]);
  });

  it("does not move over a record in flight", () => {
    const tracker = trackerOf(10, [10, 11, 12], [11, 12]);
    expect(tracker.position).toBe(10);
    expect(tracker.ranges()).toEqual([{ from: 11, to: 13 }]);
    tracker.completed(10);
    expect(tracker.position).toBe(13);
    expect(tracker.ranges()).toEqual([]);
  });

  it("makes one range of completed records with a hole between them", () => {
    expect(trackerOf(10, [10, 11, 15, 20], [11, 15]).ranges()).toEqual([{ from: 11, to: 20 }]);
  });

  it("makes no range of a hole between records in flight", () => {
    expect(trackerOf(10, [10, 15, 20], []).ranges()).toEqual([]);
  });

  it("passes a marker behind the last record once that is completed", () => {
    const tracker = trackerOf(10, [10, 11], [10]);
    tracker.passed(13);
    expect(tracker.position).toBe(11);
    tracker.completed(11);
    expect(tracker.position).toBe(13);
  });

  it("passes a batch without a single record", () => {
    const tracker = new CompletionTracker(10, []);
    tracker.passed(25);
    expect(tracker.position).toBe(25);
    tracker.passed(20);
    expect(tracker.position).toBe(25);
  });

  it("knows what was completed before a restart, also when it has passed that", () => {
    const tracker = new CompletionTracker(10, [
      { from: 11, to: 13 },
      { from: 20, to: 21 },
    ]);
    const completed = Array.from({ length: 13 }, (_, index) => index + 10).filter((offset) =>
      tracker.isCompleted(offset),
    );
    expect(completed).toEqual([11, 12, 20]);
    tracker.started(10);
    tracker.completed(10);
    expect(tracker.position).toBe(13);
    expect(tracker.isCompleted(12)).toBe(true);
    expect(toOffsets(tracker.ranges())).toEqual([20]);
  });

  it.each([
    ["twice", 12],
    ["behind a later one", 11],
    ["before the committed offset", 9],
    ["that was completed before a restart", 30],
  ])("refuses a record handed out %s", (_what, offset) => {
    const tracker = new CompletionTracker(10, [{ from: 30, to: 31 }]);
    tracker.started(12);
    expect(() => tracker.started(offset)).toThrow(RangeError);
  });

  it("counts a record once that is completed twice", () => {
    const tracker = trackerOf(10, [10, 11, 12], [11, 11]);
    expect(tracker.inFlight).toBe(2);
    expect(tracker.rangeCount).toBe(1);
  });

  it("forgets all at a seek, also what was completed before a restart", () => {
    const tracker = new CompletionTracker(10, [{ from: 15, to: 20 }]);
    for (const offset of [10, 11, 12]) tracker.started(offset);
    tracker.completed(11);
    tracker.resetTo(5);
    expect([tracker.position, tracker.inFlight, tracker.oldest, tracker.rangeCount]).toEqual([5, 0, null, 0]);
    expect(tracker.isCompleted(16)).toBe(false);
    // Work from before the seek ends.
    tracker.completed(12);
    expect(tracker.position).toBe(5);
  });

  it("keeps thousands in flight in its window, and no more than these", () => {
    const tracker = new CompletionTracker(0, []);
    for (let offset = 0; offset < 200_000; offset++) {
      tracker.started(offset);
      if (offset % 100 !== 0) tracker.completed(offset);
    }
    expect(tracker.inFlight).toBe(2_000);
    expect(tracker.rangeCount).toBe(2_000);
    for (let offset = 199_900; offset > 0; offset -= 100) tracker.completed(offset);
    expect(tracker.ranges()).toEqual([{ from: 1, to: 200_000 }]);
    tracker.completed(0);
    expect(tracker.position).toBe(200_000);
  });
});

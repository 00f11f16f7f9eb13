import type { StateRestore } from "@eos/state-store";
import { describe, expect, it } from "vitest";
import { RestoreProgress } from "./restore-progress.ts";

interface Bench {
  readonly shown: string[];
  readonly progress: RestoreProgress;
  nowMs: number;
}

function bench(): Bench {
  const shown: string[] = [];
  const made: Bench = {
    shown,
    nowMs: 0,
    progress: new RestoreProgress(
      {
        restoring: (done, total) => shown.push(`${done} of ${total}`),
        restored: (records, durationMs) => shown.push(`${records} records in ${durationMs} ms`),
      },
      { monotonicMs: () => made.nowMs },
    ),
  };
  return made;
}

function restore(partition: number, startingOffset: number, endingOffset: number): StateRestore {
  return { topicPartition: { topic: "t", partition }, store: "totals", startingOffset, endingOffset };
}

describe("RestoreProgress", () => {
  it("shows all partitions that are restored at the same time as one", () => {
    const made = bench();
    const [first, second] = [restore(0, 100, 200), restore(1, 0, 300)];
    made.progress.onRestoreStart(first);
    made.progress.onRestoreStart(second);
    made.progress.onBatchRestored({ ...second, batchEndOffset: 150, numRestored: 140 });
    made.progress.onBatchRestored({ ...first, batchEndOffset: 200, numRestored: 90 });
    made.progress.onRestoreEnd(first);
    made.nowMs = 40;
    made.progress.onBatchRestored({ ...second, batchEndOffset: 300, numRestored: 100 });
    made.progress.onRestoreEnd(second);
    expect(made.shown).toEqual(["150 of 400", "250 of 400", "330 records in 40 ms"]);
  });

  it("begins anew with the next restore, also after one that was given up", () => {
    const made = bench();
    const given = restore(0, 0, 100);
    made.progress.onRestoreStart(given);
    made.progress.onBatchRestored({ ...given, batchEndOffset: 50, numRestored: 50 });
    made.progress.onRestoreSuspended(given);
    const next = restore(0, 50, 100);
    made.nowMs = 1_000;
    made.progress.onRestoreStart(next);
    made.progress.onBatchRestored({ ...next, batchEndOffset: 100, numRestored: 49 });
    made.progress.onRestoreEnd(next);
    expect(made.shown).toEqual(["50 of 100", "50 records in 0 ms", "49 records in 0 ms"]);
  });

  it("tells of nothing to restore once, with no records", () => {
    const made = bench();
    made.progress.onRestoreStart(restore(0, 5, 5));
    made.progress.onRestoreEnd(restore(0, 5, 5));
    expect(made.shown).toEqual(["0 records in 0 ms"]);
  });
});

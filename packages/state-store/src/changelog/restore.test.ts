import { OffsetOutOfRangeError, RecordCursor, type RecordBatch } from "@eos/client";
import { type Clock, silentLogger, systemClock } from "@eos/core";
import { beforeEach, describe, expect, test } from "vitest";
import { ChangelogTruncatedError } from "../errors.ts";
import { CHANGELOG, ChangelogFixture } from "./changelog-fixture.ts";
import { type ApplyChangelog, restoreChangelog, type RestoreOptions, type RestoreResult } from "./restore.ts";
import type { StateRestoreListener } from "./restore-listener.ts";

let changelog: ChangelogFixture;
let applied: number[];
let told: unknown[][];

beforeEach(() => {
  changelog = new ChangelogFixture();
  applied = [];
  told = [];
});

const cursor = new RecordCursor();

function offsetsOf(batches: readonly RecordBatch[], from: number): number[] {
  const offsets: number[] = [];
  for (const batch of batches) {
    cursor.open(batch, from);
    while (cursor.next()) offsets.push(cursor.offset);
  }
  return offsets;
}

const keep: ApplyChangelog = (batches, from) => void applied.push(...offsetsOf(batches, from));

const listener: StateRestoreListener = {
  onRestoreStart: ({ topicPartition, store, startingOffset, endingOffset }) => {
    expect([topicPartition, store]).toEqual([CHANGELOG, "counts"]);
    told.push(["start", startingOffset, endingOffset]);
  },
  onBatchRestored: ({ batchEndOffset, numRestored }) => told.push(["batch", batchEndOffset, numRestored]),
  onRestoreEnd: ({ totalRestored }) => told.push(["end", totalRestored]),
  onRestoreSuspended: ({ totalRestored }) => told.push(["suspended", totalRestored]),
};

function restore(options: Partial<RestoreOptions> = {}): Promise<RestoreResult> {
  const { client } = changelog;
  const rest = { from: -1, apply: keep, listener, clock: systemClock, logger: silentLogger };
  return restoreChangelog({ client, ...CHANGELOG, store: "counts", ...rest, ...options });
}

describe("restoreChangelog", () => {
  test("reads from the earliest offset to the high watermark, and tells the listener of it.", async () => {
    changelog.append(2, 1);
    changelog.append(3);
    changelog.append(1, 1);
    changelog.firstUndecided = 6;
    expect(await restore()).toEqual({ position: 8, records: 6 });
    expect(applied).toEqual([0, 1, 3, 4, 5, 6]);
    expect(told).toEqual([
      ["start", 0, 8],
      ["batch", 3, 2],
      ["batch", 6, 3],
      ["batch", 8, 1],
      ["end", 6],
    ]);
  });

  test("from within a batch leaves out, and does not count, the records before.", async () => {
    changelog.append(5);
    changelog.append(2);
    expect(await restore({ from: 3 })).toEqual({ position: 7, records: 4 });
    expect(applied).toEqual([3, 4, 5, 6]);
    expect(told.slice(1, 3)).toEqual([
      ["batch", 5, 2],
      ["batch", 7, 2],
    ]);
  });

  test("with nothing to read reads nothing, and starts and ends all the same.", async () => {
    changelog.append(3);
    expect(await restore({ from: 3 })).toEqual({ position: 3, records: 0 });
    expect(told).toEqual([
      ["start", 3, 3],
      ["end", 0],
    ]);
  });

  test("gives one chunk after the other, each beginning where the last one ended.", async () => {
    for (let i = 1; i <= 5; i++) changelog.append(i, 1);
    let running = 0;
    const ranges: [number, number][] = [];
    const { position } = await restore({
      apply: async (_batches, from, nextOffset) => {
        expect(++running).toBe(1);
        ranges.push([from, nextOffset]);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      },
    });
    expect(ranges).toEqual([
      [0, 2],
      [2, 5],
      [5, 9],
      [9, 14],
      [14, position],
    ]);
  });

  test("rejects with what apply throws, and says how far it came.", async () => {
    for (let i = 0; i < 3; i++) changelog.append(2);
    const full = new Error("disk full");
    const apply: ApplyChangelog = (batches, from, nextOffset) => {
      if (nextOffset === 4) throw full;
      return keep(batches, from, nextOffset);
    };
    await expect(restore({ apply })).rejects.toBe(full);
    expect(applied).toEqual([0, 1]);
    expect(told.at(-1)).toEqual(["suspended", 2]);
  });

  test("ends when its signal fires, also before it has begun.", async () => {
    for (let i = 0; i < 3; i++) changelog.append(2);
    const stop = new AbortController();
    const apply: ApplyChangelog = (batches, from, nextOffset) => {
      stop.abort(new Error("revoked"));
      return keep(batches, from, nextOffset);
    };
    await expect(restore({ apply, signal: stop.signal })).rejects.toThrow("revoked");
    expect(applied).toEqual([0, 1]);
    expect(told.at(-1)).toEqual(["suspended", 2]);
    told.length = 0;
    await expect(restore({ signal: stop.signal })).rejects.toThrow("revoked");
    expect(told).toEqual([]);
  });

  test("does not wait for brokers that cannot be reached when its signal fires.", async () => {
    const stop = new AbortController();
    const admin = { listOffsets: () => new Promise<never>(() => {}) };
    const restored = restore({ client: { ...changelog.client, admin }, signal: stop.signal });
    stop.abort(new Error("revoked"));
    await expect(restored).rejects.toThrow("revoked");
    expect(told).toEqual([]);
  });

  test("does not go on from a changelog that ends before the store's position, or begins behind it.", async () => {
    changelog.append(5);
    const shorter: unknown = await restore({ from: 6 }).catch((error: unknown) => error);
    expect(shorter).toBeInstanceOf(ChangelogTruncatedError);
    expect((shorter as ChangelogTruncatedError).reason).toBe("it ends at offset 5, but the store has it up to 6");
    changelog.earliest = 2;
    const later: unknown = await restore({ from: 1 }).catch((error: unknown) => error);
    expect((later as ChangelogTruncatedError).reason).toBe("it begins at offset 2, but the store has it up to 1 only");
    expect([applied, told]).toEqual([[], []]);
    expect(await restore({ from: 2 })).toEqual({ position: 5, records: 3 });
    await restore();
    expect(told.filter(([event]) => event === "start")).toEqual([
      ["start", 2, 5],
      ["start", 2, 5],
    ]);
  });

  test("goes on from a changelog that retention has emptied up to the marker of the store's last commit, and from no further back.", async () => {
    changelog.append(100, 1);
    changelog.earliest = 101;
    expect(await restore({ from: 100 })).toEqual({ position: 101, records: 0 });
    await expect(restore({ from: 99 })).rejects.toBeInstanceOf(ChangelogTruncatedError);
    changelog.append(1);
    await expect(restore({ from: 100 })).rejects.toBeInstanceOf(ChangelogTruncatedError);
  });

  test("does not go on where records are deleted under its hands.", async () => {
    changelog.append(2);
    changelog.append(2);
    const cause = new OffsetOutOfRangeError({ ...CHANGELOG, offset: 2 });
    changelog.failuresAt.set(2, cause);
    const error: unknown = await restore().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ChangelogTruncatedError);
    expect((error as ChangelogTruncatedError).cause).toBe(cause);
    expect(told.at(-1)).toEqual(["suspended", 2]);
  });

  test("says every ten seconds where it is, for as long as it runs.", async () => {
    changelog.append(2);
    const logged: object[] = [];
    const sleeps: { readonly ms: number; readonly wake: () => void; readonly signal: AbortSignal | undefined }[] = [];
    const clock: Clock = {
      ...systemClock,
      sleep: (ms, signal) => new Promise((resolve) => sleeps.push({ ms, wake: resolve, signal })),
    };
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const apply: ApplyChangelog = async () => {
      for (let i = 0; i < 2; i++) {
        sleeps.at(-1)?.wake();
        await turn();
      }
      expect(logged).toHaveLength(2);
      expect(logged[0]).toMatchObject({ store: "counts", position: 0, end: 2, records: 0 });
    };
    await restore({ clock, apply, logger: { ...silentLogger, info: (fields) => logged.push(fields) } });
    expect(logged).toHaveLength(3);
    expect(sleeps.map(({ ms }) => ms)).toEqual([10_000, 10_000, 10_000]);
    expect(sleeps.at(-1)?.signal?.aborted).toBe(true);
    sleeps.at(-1)?.wake();
    await turn();
    expect([logged.length, sleeps.length]).toEqual([3, 3]);
  });

  test("is not disturbed by a listener that throws or is not there.", async () => {
    changelog.append(2);
    const failing = (): never => {
      throw new Error("a listener's bug");
    };
    await restore({ listener: { onRestoreStart: failing, onBatchRestored: failing, onRestoreEnd: failing } });
    await restore({ listener: {} });
    await restore({ listener: undefined });
    expect(applied).toEqual([0, 1, 0, 1, 0, 1]);
  });
});

import { ConnectionError, OffsetOutOfRangeError } from "@eos/client";
import { type Clock, silentLogger } from "@eos/core";
import { beforeEach, describe, expect, test } from "vitest";
import { ChangelogTruncatedError, StoreIoError } from "../errors.ts";
import { CHANGELOG, ChangelogFixture } from "./changelog-fixture.ts";
import { tailChangelog, type TailOptions } from "./standby-tail.ts";

let changelog: ChangelogFixture;
let ranges: [number, number][];
let slept: number[];
let stop: AbortController;

beforeEach(() => {
  changelog = new ChangelogFixture();
  ranges = [];
  slept = [];
  stop = new AbortController();
  changelog.onDrained = () => stop.abort(new Error("enough"));
});

const clock: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  sleep: (ms) => {
    slept.push(ms);
    return Promise.resolve();
  },
};

function tail(options: Partial<TailOptions> = {}): Promise<number> {
  return tailChangelog({
    client: changelog.client,
    ...CHANGELOG,
    from: -1,
    apply: (_batches, from, nextOffset) => void ranges.push([from, nextOffset]),
    signal: stop.signal,
    clock,
    logger: silentLogger,
    ...options,
  });
}

describe("tailChangelog", () => {
  test("applies one chunk after the other until its signal fires, and says where it is.", async () => {
    changelog.append(2, 1);
    changelog.append(4);
    expect(await tail()).toBe(7);
    expect(ranges).toEqual([
      [0, 3],
      [3, 7],
    ]);
  });

  test("says where it was when its signal has fired already.", async () => {
    stop.abort();
    expect(await tail({ from: 12 })).toBe(12);
  });

  test("does not wait for brokers that cannot be reached when its signal fires.", async () => {
    const admin = { listOffsets: () => new Promise<never>(() => {}) };
    const tailed = tail({ from: 12, client: { ...changelog.client, admin } });
    stop.abort();
    expect(await tailed).toBe(12);
  });

  test("what is being applied when the signal fires still counts.", async () => {
    changelog.append(2);
    changelog.append(2);
    const apply: TailOptions["apply"] = async (_batches, _from, nextOffset) => {
      stop.abort();
      await new Promise((resolve) => setImmediate(resolve));
      ranges.push([0, nextOffset]);
    };
    expect(await tail({ apply })).toBe(2);
    expect(ranges).toEqual([[0, 2]]);
  });

  test("goes on where it was when brokers are back, and is the more patient the longer that takes.", async () => {
    changelog.append(2);
    changelog.append(2);
    const lost = new ConnectionError("lost");
    // Each attempt asks for two offsets.
    changelog.failures.push(lost, lost, lost, lost);
    changelog.failuresAt.set(2, lost);
    expect(await tail()).toBe(4);
    expect(changelog.readFrom).toEqual([0, 2]);
    expect(slept).toEqual([100, 200, 100]);
  });

  test("passes on what apply throws, also when that may pass: the store must be opened anew.", async () => {
    changelog.append(2);
    const full = new StoreIoError("folder", "writing", new Error("ENOSPC"));
    await expect(
      tail({
        apply: () => {
          throw full;
        },
      }),
    ).rejects.toBe(full);
    expect(slept).toEqual([]);
  });

  test("ends when the changelog does not hold what comes next.", async () => {
    changelog.append(2);
    await expect(tail({ from: 3 })).rejects.toThrow(ChangelogTruncatedError);
    changelog.append(2);
    changelog.failuresAt.set(2, new OffsetOutOfRangeError({ ...CHANGELOG, offset: 2 }));
    await expect(tail()).rejects.toThrow(ChangelogTruncatedError);
  });
});

import { type Admin, AuthorizationError, type CommittedOffset, NoCommittedOffsetError } from "@eos/client";
import { encodeOffsetMetadata, silentLogger, systemClock } from "@eos/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { committedPositions } from "./committed-offsets.ts";

const A = { topic: "in", partition: 0 };
const B = { topic: "in", partition: 1 };
const never = new AbortController().signal;

type Answer = readonly Partial<CommittedOffset>[];

/** Answers in this order, the last one again and again; the log's ends are 10 and 100. */
function setUp(...answers: readonly Answer[]) {
  const asked: unknown[] = [];
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (_fields: object, message: string) => void errors.push(message) };
  const admin = {
    committedOffsets: async (groupId: string, partitions: readonly (typeof A)[], options: unknown) => {
      const answer = answers[Math.min(asked.length, answers.length - 1)] as Answer;
      asked.push([groupId, options]);
      return partitions.map((each, index) => ({ ...each, offset: 0, metadata: null, errorCode: 0, ...answer[index] }));
    },
    listOffsets: async (partitions: readonly (typeof A)[], spec: unknown) =>
      partitions.map((each) => ({ ...each, offset: spec === "earliest" ? 10 : 100, timestamp: -1 })),
  } as unknown as Admin;
  const positions = (
    autoOffsetReset: "earliest" | "latest" | "none" = "earliest",
    partitions: readonly (typeof A)[] = [A, B],
    signal = never,
  ) => committedPositions(partitions, { admin, clock: systemClock, logger, groupId: "g", autoOffsetReset }, signal);
  return { positions, asked, errors };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("committedPositions", () => {
  it("goes on at the committed offset, with what was completed beyond it", async () => {
    const completed = [{ from: 44, to: 46 }];
    const { positions, asked } = setUp([
      { offset: 42, metadata: encodeOffsetMetadata({ completed }, 42) },
      { offset: 7 },
    ]);
    expect(await positions()).toEqual([
      { ...A, offset: 42, completed, owesCommit: false },
      { ...B, offset: 7, completed: [], owesCommit: false },
    ]);
    expect(asked).toEqual([["g", { requireStable: true }]]);
  });

  it("ignores metadata that is not ours, and a map that belongs to another offset", async () => {
    const map = encodeOffsetMetadata({ completed: [{ from: 44, to: 46 }] }, 42);
    const { positions } = setUp([
      { offset: 42, metadata: "somebody else's" },
      { offset: 43, metadata: map },
    ]);
    expect((await positions()).map(({ completed }) => completed)).toEqual([[], []]);
  });

  it("begins where autoOffsetReset says without an offset, which is to be committed when it is the end", async () => {
    const { positions } = setUp([{ offset: -1 }, { offset: 5 }]);
    expect((await positions("earliest")).map(({ offset, owesCommit }) => [offset, owesCommit])).toEqual([
      [10, false],
      [5, false],
    ]);
    expect((await positions("latest")).map(({ offset, owesCommit }) => [offset, owesCommit])).toEqual([
      [100, true],
      [5, false],
    ]);
    await expect(positions("none")).rejects.toThrow(NoCommittedOffsetError);
  });

  it("waits until no transaction holds an offset any more, or the signal fires", async () => {
    const { positions, asked } = setUp([{ errorCode: 88 }, {}], [{ errorCode: 88 }, {}], [{ offset: 3 }, {}]);
    const found = positions();
    await vi.advanceTimersByTimeAsync(49);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(51);
    expect((await found)[0]?.offset).toBe(3);
    const over = new AbortController();
    const waiting = setUp([{ errorCode: 88 }, {}]).positions("earliest", [A, B], over.signal);
    over.abort(new Error("over"));
    await expect(waiting).rejects.toThrow("over");
  });

  it("does not take a refusal for a partition without an offset", async () => {
    const { positions } = setUp([{ offset: -1, errorCode: 30 }, {}]);
    await expect(positions()).rejects.toThrow(AuthorizationError);
  });

  it("asks nobody about nothing", async () => {
    const { positions, asked } = setUp([]);
    expect(await positions("earliest", [])).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("says once what it waits for when a transaction does not end", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { positions, errors } = setUp([{ errorCode: 88 }]);
    const given = new AbortController();
    const waiting = positions("earliest", [A], given.signal).catch(() => "given up");
    await vi.advanceTimersByTimeAsync(29_000);
    expect(errors).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(errors).toEqual(["a transaction that does not end holds the group's offsets"]);
    given.abort();
    expect(await waiting).toBe("given up");
  });
});

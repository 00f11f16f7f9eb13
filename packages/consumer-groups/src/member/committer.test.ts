import { BrokerError, ConnectionError, type GroupGeneration, isGroupFence, PartitionQueue } from "@eos/client";
import { decodeOffsetMetadata, type ObserverEvents, systemClock } from "@eos/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CompletionTracker } from "../offsets/completion-tracker.ts";
import type { CommitMode } from "../options.ts";
import type { AnyWork } from "../work/any-work.ts";
import { quiet, SILENT } from "../work/work-fixture.ts";
import { Committer } from "./committer.ts";

const GENERATION: GroupGeneration = { groupId: "g", generationId: 4, memberId: "m", groupInstanceId: null };
const STALE = new BrokerError({ api: "OffsetCommit", kafkaCode: 22, groupId: "g" });
const NOT_ALLOWED = new BrokerError({ api: "OffsetCommit", kafkaCode: 30, groupId: "g" });

class FakeWork {
  readonly queue: PartitionQueue;
  readonly tracker = new CompletionTracker(0, []);
  hasProgressed = false;
  isDropped = false;
  committedPosition = 0;
  committedMetadata = "";

  constructor(partition: number, generation = GENERATION) {
    this.queue = new PartitionQueue("in", partition, 0, generation);
  }

  /** Completes everything up to an offset. */
  reach(offset: number): void {
    this.tracker.passed(offset);
    this.hasProgressed = true;
  }
}

interface Request {
  readonly generation: GroupGeneration;
  readonly offsets: string;
  readonly metadata: readonly string[];
  resolve(): void;
  reject(error: unknown): void;
}

function setUp(mode: CommitMode = "batch", answers: "byHand" | "atOnce" = "byHand") {
  const requests: Request[] = [];
  const works = [new FakeWork(0), new FakeWork(1)] as const;
  const committed: number[] = [];
  const refused: GroupGeneration[] = [];
  const fatal: unknown[] = [];
  const observed: { committed: ObserverEvents["offsetsCommitted"][]; refused: ObserverEvents["commitRefused"][] } = {
    committed: [],
    refused: [],
  };
  let open = 0;
  const committer = new Committer({
    client: {
      commitOffsets: ({ generation, offsets }) =>
        new Promise<void>((resolve, reject) => {
          expect(++open, "two at a time").toBe(1);
          const partitions = offsets.toTopics().flatMap((topic) => topic.partitions);
          const end = (settle: () => void) => (): void => {
            open--;
            settle();
          };
          requests.push({
            generation,
            offsets: partitions.map(({ partition, offset }) => `${partition}@${offset}`).join(),
            metadata: partitions.map(({ metadata }) => metadata),
            resolve: end(resolve),
            reject: (error) => end(() => reject(error))(),
          });
          if (answers === "atOnce") requests.at(-1)?.resolve();
        }),
    },
    mode,
    clock: systemClock,
    logger: SILENT,
    observer: {
      offsetsCommitted: (event) => observed.committed.push(event),
      commitRefused: (event) => observed.refused.push(event),
    },
    works: () => works as unknown as readonly AnyWork[],
    onCommitted: (work) => committed.push(work.queue.partition),
    onRefused: (generation) => refused.push(generation),
    onFatal: (error) => fatal.push(error),
  });
  const sent = (): string[] => requests.map(({ offsets }) => offsets);
  return { committer, works, requests, sent, committed, refused, fatal, observed };
}

const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Committer", () => {
  it("puts what several partitions complete in one turn into one request", async () => {
    const { committer, works, sent, requests, committed, observed } = setUp();
    works[0].reach(3);
    committer.due();
    works[1].reach(5);
    committer.due();
    await quiet();
    expect(sent()).toEqual(["0@3,1@5"]);
    requests[0]?.resolve();
    await quiet();
    expect(committed).toEqual([0, 1]);
    expect(works.map(({ committedPosition }) => committedPosition)).toEqual([3, 5]);
    expect(observed.committed).toMatchObject([
      {
        groupId: "g",
        memberId: "m",
        offsets: [
          { topic: "in", partition: 0, offset: 3 },
          { partition: 1, offset: 5 },
        ],
      },
    ]);
  });

  it("sends one request at a time, and what came meanwhile in the next one", async () => {
    const { committer, works, sent, requests } = setUp();
    works[0].reach(1);
    committer.due();
    await quiet();
    for (const offset of [2, 3, 4]) {
      works[0].reach(offset);
      committer.due();
      await quiet();
    }
    expect(sent()).toEqual(["0@1"]);
    requests[0]?.resolve();
    await quiet();
    expect(sent()).toEqual(["0@1", "0@4"]);
  });

  it("sends nothing when nothing has changed, and says that it is committed all the same", async () => {
    const { committer, works, sent, committed } = setUp("batch", "atOnce");
    works[0].reach(1);
    committer.due();
    await quiet();
    works[0].hasProgressed = true;
    committer.due();
    await quiet();
    expect(sent()).toEqual(["0@1"]);
    expect(committed).toEqual([0, 0]);
  });

  it("leaves out partitions that were dropped", async () => {
    const { committer, works, sent } = setUp();
    works[0].reach(1);
    works[0].isDropped = true;
    works[1].reach(2);
    committer.due();
    await quiet();
    expect(sent()).toEqual(["1@2"]);
  });

  it("sends the generation of the queue, whichever the member is in", async () => {
    const { committer, works, requests } = setUp();
    const renewed = { ...GENERATION, generationId: 5 };
    for (const { queue } of works) queue.generation = renewed;
    works[0].reach(1);
    committer.due();
    await quiet();
    expect(requests[0]?.generation).toBe(renewed);
  });

  it("commits a gap that stays open within a second, with its map", async () => {
    const { committer, works, sent, requests } = setUp();
    for (const offset of [0, 1, 2]) works[0].tracker.started(offset);
    works[0].tracker.completed(1);
    works[0].hasProgressed = true;
    committer.progressed();
    await quiet();
    vi.advanceTimersByTime(999);
    await quiet();
    expect(sent()).toEqual([]);
    vi.advanceTimersByTime(1);
    await quiet();
    expect(sent()).toEqual(["0@0"]);
    expect(decodeOffsetMetadata(requests[0]?.metadata[0] ?? null, 0)?.completed).toEqual([{ from: 1, to: 2 }]);
  });

  it("commits at its interval, whatever ends in between", async () => {
    const { committer, works, sent } = setUp({ intervalMs: 5_000 }, "atOnce");
    for (const offset of [1, 2, 3]) {
      works[0].reach(offset);
      committer.progressed();
      committer.due();
      vi.advanceTimersByTime(1_600);
      await quiet();
    }
    expect(sent()).toEqual([]);
    vi.advanceTimersByTime(200);
    await quiet();
    expect(sent()).toEqual(["0@3"]);
    vi.advanceTimersByTime(20_000);
    await quiet();
    expect(sent()).toHaveLength(1);
  });

  it("commits nothing by itself when commits are manual, and everything when it is told to", async () => {
    const { committer, works, sent } = setUp("manual", "atOnce");
    works[0].reach(3);
    committer.progressed();
    committer.due();
    vi.advanceTimersByTime(100_000);
    await quiet();
    expect(sent()).toEqual([]);
    await committer.flush(never);
    expect(sent()).toEqual(["0@3"]);
  });

  it("flushes what is completed at that moment: what is on its way may have left before", async () => {
    const { committer, works, sent, requests } = setUp();
    works[0].reach(1);
    committer.due();
    await quiet();
    works[0].reach(2);
    let isFlushed = false;
    const flushed = committer.flush(never).then(() => (isFlushed = true));
    await quiet();
    expect(sent()).toEqual(["0@1"]);
    requests[0]?.resolve();
    await quiet();
    expect(sent()).toEqual(["0@1", "0@2"]);
    expect(isFlushed).toBe(false);
    requests[1]?.resolve();
    await flushed;
  });

  it("lets nothing pass what a flush sends, which would be overwritten if that were tried again", async () => {
    const { committer, works, sent, requests } = setUp();
    works[0].reach(1);
    const flushes = [committer.flush(never), committer.flush(never)];
    works[0].reach(2);
    committer.due();
    committer.progressed();
    vi.advanceTimersByTime(1_000);
    await quiet();
    expect(sent()).toEqual(["0@1"]);
    requests[0]?.resolve();
    await quiet();
    requests[1]?.resolve();
    await Promise.all(flushes);
    expect(sent()).toEqual(["0@1", "0@2"]);
  });

  it("tries again when the connection is lost, by itself and in a flush", async () => {
    const { committer, works, sent, requests, fatal } = setUp();
    works[0].reach(1);
    committer.due();
    await quiet();
    requests[0]?.reject(new ConnectionError("gone"));
    await quiet();
    vi.advanceTimersByTime(100);
    await quiet();
    expect(sent()).toEqual(["0@1", "0@1"]);
    const flushed = committer.flush(never);
    requests[1]?.reject(new ConnectionError("gone"));
    await quiet();
    vi.advanceTimersByTime(100);
    await quiet();
    requests[2]?.reject(new ConnectionError("gone"));
    await quiet();
    vi.advanceTimersByTime(100);
    await quiet();
    requests[3]?.resolve();
    await quiet();
    await flushed;
    expect(works[0].committedPosition).toBe(1);
    expect(fatal).toEqual([]);
  });

  it("reports a refused commit once, asks to join again, and sends nothing more of that generation", async () => {
    const { committer, works, sent, requests, refused, fatal, observed } = setUp();
    works[0].reach(1);
    committer.due();
    await quiet();
    requests[0]?.reject(STALE);
    await quiet();
    works[0].reach(2);
    committer.due();
    vi.advanceTimersByTime(5_000);
    await quiet();
    await expect(committer.flush(never)).rejects.toSatisfy(isGroupFence);
    expect(sent()).toEqual(["0@1"]);
    expect(refused).toEqual([GENERATION]);
    expect(observed.refused).toMatchObject([
      { groupId: "g", memberId: "m", generationId: 4, partitions: [{ topic: "in", partition: 0 }], error: STALE },
    ]);
    expect(fatal).toEqual([]);
  });

  it("commits what a generation could not when the next one has the partition, though nothing happens in it", async () => {
    const { committer, works, sent, requests } = setUp();
    works[0].reach(1);
    committer.due();
    await quiet();
    requests[0]?.reject(STALE);
    await quiet();
    works[0].queue.generation = { ...GENERATION, generationId: 5 };
    vi.advanceTimersByTime(1_000);
    await quiet();
    expect(sent()).toEqual(["0@1", "0@1"]);
    expect(requests[1]?.generation.generationId).toBe(5);
  });

  it("ends a flush with the signal's reason, and commits what that left behind by itself", async () => {
    const { committer, works, sent, requests } = setUp();
    const limit = new AbortController();
    works[0].reach(1);
    const flushed = committer.flush(limit.signal);
    limit.abort(new Error("time is up"));
    await expect(flushed).rejects.toThrow("time is up");
    requests[0]?.reject(new ConnectionError("gone"));
    await quiet();
    vi.advanceTimersByTime(1_000);
    await quiet();
    expect(sent()).toEqual(["0@1", "0@1"]);
  });

  it("gives an error that nobody can mend to the group", async () => {
    const { committer, works, requests, fatal, refused } = setUp();
    works[0].reach(1);
    committer.due();
    await quiet();
    requests[0]?.reject(NOT_ALLOWED);
    await quiet();
    expect(fatal).toEqual([NOT_ALLOWED]);
    expect(refused).toEqual([]);
  });

  it("leaves no timer behind and sends nothing when it is closed", async () => {
    const { committer, works, sent } = setUp();
    works[0].reach(1);
    committer.progressed();
    committer.due();
    committer.close();
    committer.progressed();
    committer.due();
    await quiet();
    expect(vi.getTimerCount()).toBe(0);
    expect(sent()).toEqual([]);
  });

  it("leaves no listener on a signal that outlives its flushes", async () => {
    const { committer, works } = setUp("manual", "atOnce");
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    for (const offset of [1, 2, 3]) {
      works[0].reach(offset);
      await committer.flush(signal);
    }
    expect(added).toHaveBeenCalledTimes(3);
    expect(removed).toHaveBeenCalledTimes(3);
  });

  it("has everything committed in the end, one request at a time, whatever fails and whoever asks", async () => {
    const step = fc.constantFrom("reach0", "reach1", "due", "progressed", "flush", "ok", "ok", "lost", "time", "tick");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50, size: "max" }), async (steps) => {
        const { committer, works, requests, fatal } = setUp();
        const flushes: Promise<unknown>[] = [];
        let answered = 0;
        const answer = (error: unknown): void => {
          const request = requests[answered];
          if (request === undefined) return;
          answered++;
          if (error === null) request.resolve();
          else request.reject(error);
        };
        for (const does of steps) {
          if (does === "reach0" || does === "reach1") {
            const work = works[does === "reach0" ? 0 : 1];
            work.reach(work.tracker.position + 1);
            committer.progressed();
          } else if (does === "due") committer.due();
          else if (does === "progressed") committer.progressed();
          else if (does === "flush") flushes.push(committer.flush(never));
          else if (does === "ok") answer(null);
          else if (does === "lost") answer(new ConnectionError("gone"));
          else if (does === "time") vi.advanceTimersByTime(100);
          else await quiet(2);
        }
        for (let round = 0; round < 12; round++) {
          vi.advanceTimersByTime(1_000);
          await quiet(3);
          answer(null);
          await quiet(3);
        }
        await Promise.all(flushes);
        expect(fatal).toEqual([]);
        for (const { tracker, committedPosition } of works) expect(committedPosition).toBe(tracker.position);
        committer.close();
      }),
      { numRuns: 60 },
    );
  }, 30_000);
});

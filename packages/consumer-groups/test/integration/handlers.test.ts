import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumedBatch, RecordResult } from "@eos/consumer-groups";
import { BatchRecordError, GroupClosedError } from "@eos/consumer-groups";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { failureOf, numbered, TestGroups, type TextRecord, upTo } from "../test-groups.ts";

describe("a record handler", () => {
  it.for(["sync", "async"] as const)(
    "gets every record once, in the order of its partition, and all is committed when the group is closed (%s)",
    async (kind) => {
      await using groups = await TestGroups.create({ partitions: 3 });
      for (const partition of [0, 1, 2]) await groups.write(numbered(50, { partition }));
      const seen = new Journal<TextRecord>();
      const group = groups.group({
        handler: (record) => {
          seen.add(record);
          return kind === "sync" ? undefined : sleep(record.offset % 3);
        },
      });
      await group.start();
      await seen.reached(150);
      await group.close();
      await expect(group.finished).resolves.toBeUndefined();
      for (const partition of [0, 1, 2]) {
        const records = seen.entries.filter((record) => record.partition === partition);
        expect(records.map(({ offset }) => offset)).toEqual(upTo(50));
        expect(records.map(({ value }) => value)).toEqual(numbered(50).map(({ value }) => value));
      }
      expect(await groups.lagOf(3)).toEqual([0, 0, 0]);
    },
  );

  it("is followed by onResult, which is told the outcome before it is committed and can change nothing", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(3));
    const results = new Journal<RecordResult & { readonly offset: number }>();
    const commits = new Journal<number>();
    const group = groups.group({
      commit: "record",
      handler: () => sleep(5),
      onResult: ({ offset }, result) => {
        expect(commits.entries).toHaveLength(offset);
        results.add({ offset, ...result });
        throw new Error("of no consequence");
      },
      observer: { offsetsCommitted: () => commits.add(0) },
    });
    await group.start();
    await commits.reached(3);
    expect(results.entries).toMatchObject(upTo(3).map((offset) => ({ offset, outcome: "handled", attempts: 1 })));
    for (const { durationMs } of results.entries) expect(durationMs).toBeGreaterThanOrEqual(3);
    expect(group.state).toBe("RUNNING");
  });
});

describe("a batch handler", () => {
  it("gets batches of one partition, at most maxBatchRecords long, with every record once and in order", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) {
      await groups.write(numbered(33, { partition }));
      await groups.write(numbered(17, { partition }));
    }
    const seen = new Journal<ConsumedBatch<string, string>>();
    const group = groups.group({
      maxBatchRecords: 20,
      batchHandler: async (batch) => {
        await sleep(2);
        seen.add(batch);
      },
    });
    await group.start();
    const count = (batches: readonly ConsumedBatch<string, string>[]) =>
      batches.reduce((sum, { records }) => sum + records.length, 0);
    await seen.until((batches) => count(batches) === 100);
    await group.close();
    for (const partition of [0, 1]) {
      const batches = seen.entries.filter((batch) => batch.partition === partition);
      expect(batches.flatMap(({ records }) => records.map(({ offset }) => offset))).toEqual(upTo(50));
      for (const { records } of batches) expect(records.length).toBeLessThanOrEqual(20);
      for (const { records } of batches) expect(records.every((record) => record.partition === partition)).toBe(true);
    }
    expect(await groups.lagOf(2)).toEqual([0, 0]);
  });

  it("that blames a record has the ones before it completed, and begins at that record again", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const seen = new Journal<number[]>();
    const asked: [unknown, number, number][] = [];
    const results: number[] = [];
    const group = groups.group({
      batchHandler: ({ records }, { attempt }) => {
        seen.add(records.map(({ offset }) => offset));
        if (attempt < 3 && records.at(-1)?.offset === 9) {
          throw new BatchRecordError(
            records.findIndex(({ offset }) => offset === 4),
            new Error("four"),
          );
        }
      },
      onError: (error, { offset }, attempt) => {
        asked.push([(error as Error).message, offset, attempt]);
        return "retry";
      },
      onResult: ({ offset }) => void results.push(offset),
    });
    await group.start();
    await seen.reached(3);
    await groups.untilCommitted(10);
    expect(seen.entries).toEqual([upTo(10), upTo(6, 4), upTo(6, 4)]);
    expect(asked).toEqual([
      ["four", 4, 1],
      ["four", 4, 2],
    ]);
    expect(results).toEqual(upTo(10));
  });

  it("can have the record that it blames skipped; those behind it come in a batch of their own", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const seen = new Journal<number[]>();
    const skipped: number[] = [];
    const group = groups.group({
      batchHandler: ({ records }) => {
        seen.add(records.map(({ offset }) => offset));
        const bad = records.findIndex(({ offset }) => offset === 4);
        if (bad >= 0) throw new BatchRecordError(bad, new Error("four"));
      },
      onError: () => "skip",
      observer: { recordSkipped: ({ offset }) => void skipped.push(offset) },
    });
    await group.start();
    await groups.untilCommitted(10);
    expect(seen.entries).toEqual([upTo(10), upTo(5, 5)]);
    expect(skipped).toEqual([4]);
    expect(group.metrics()).toMatchObject({ recordsConsumedTotal: 10, recordsSkippedTotal: 1, recordsFailedTotal: 1 });
  });
});

describe("for await over a group without a handler", () => {
  it("starts it, gives every record in order, and ends when the group is closed", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(20));
    const group = groups.group();
    const offsets: number[] = [];
    for await (const { offset } of group) {
      offsets.push(offset);
      if (offset === 19) void group.close();
    }
    await group.close();
    expect(offsets).toEqual(upTo(20));
    expect(group.state).toBe("NOT_RUNNING");
  });

  it("does not complete the record at which the loop is left: the next loop, and the next process, begin with it", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const group = groups.group();
    for await (const { offset } of group) if (offset === 4) break;
    await groups.untilCommitted(4);
    for await (const { offset } of group) {
      expect(offset).toBeGreaterThanOrEqual(4);
      if (offset === 6) break;
    }
    await group.close();
    expect(await groups.committed()).toBe(6);
    for await (const { offset } of groups.group()) {
      expect(offset).toBe(6);
      break;
    }
  });

  it("holds up no rebalance with records that nobody has taken, as after the loop was left", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    for (const partition of [0, 1]) await groups.write(numbered(5, { partition }));
    const group = groups.group({ ordering: "unordered" });
    for await (const _ of group) break;
    const seen = new Journal<TextRecord>();
    const startedMs = performance.now();
    await groups.group({ handler: seen.add }).start();
    await seen.reached(5);
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });

  it("throws the error that stops the group", async () => {
    await using groups = await TestGroups.create();
    await groups.setCommitted(1_000);
    const read = async () => {
      for await (const record of groups.group()) expect(record).toBe("none");
    };
    await expect(read()).rejects.toMatchObject({ code: "EOS_OFFSET_OUT_OF_RANGE" });
  });

  it("is refused when the group has a handler, and when it is closed", async () => {
    await using groups = await TestGroups.create();
    const handled = groups.group({ handler: () => {} });
    expect(() => handled[Symbol.asyncIterator]()).toThrow(TypeError);
    expect(() => handled.records()).toThrow(TypeError);
    const closed = groups.group();
    await closed.close();
    await expect(closed[Symbol.asyncIterator]().next()).resolves.toEqual({ done: true, value: undefined });
    await expect(closed.start()).rejects.toThrow(GroupClosedError);
  });
});

describe("records() with acknowledgements", () => {
  it("never has more than maxInFlight of them open, and commits what is acknowledged in whatever order", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(60));
    const group = groups.group({ ordering: "unordered", concurrency: 32 });
    let open = 0;
    let most = 0;
    let acknowledged = 0;
    for await (const envelope of group.records({ maxInFlight: 5 })) {
      most = Math.max(most, ++open);
      void sleep((envelope.record.offset * 7) % 11).then(() => {
        open--;
        envelope.ack();
        if (++acknowledged === 60) void group.close();
      });
    }
    await group.close();
    expect(most).toBe(5);
    expect(await groups.committed()).toBe(60);
  });

  it("asks onError about one that is refused by nack, and gives it again", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const asked: [string, number, number][] = [];
    const group = groups.group({
      onError: (error, { offset }, attempt) => {
        asked.push([(error as Error).message, offset, attempt]);
        return "retry";
      },
    });
    const offsets: number[] = [];
    for await (const envelope of group.records()) {
      const { offset } = envelope.record;
      offsets.push(offset);
      if (offset === 2 && offsets.length === 3) envelope.nack(new Error("not now"));
      else envelope.ack();
      if (offset === 4) break;
    }
    await groups.untilCommitted(5);
    expect(offsets).toEqual([0, 1, 2, 2, 3, 4]);
    expect(asked).toEqual([["not now", 2, 1]]);
  });

  it("stops with the error when onError says so", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const group = groups.group();
    const read = async () => {
      for await (const envelope of group.records()) {
        if (envelope.record.offset === 3) envelope.nack(new Error("no threes"));
        else envelope.ack();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: "EOS_HANDLER", record: { offset: 3 } });
    expect(await failureOf(group)).toMatchObject({ code: "EOS_HANDLER" });
    expect(await groups.committed()).toBe(3);
  });
});

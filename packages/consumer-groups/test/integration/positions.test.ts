import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotAssignedError, type SeekPosition } from "@eos/consumer-groups";
import { runKafkaTool } from "@tooling/kafka";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { failureOf, numbered, TestGroups, upTo } from "../test-groups.ts";

/** Deletes the records below `offset` as retention does: with Kafka's own tool. */
async function deleteBefore(groups: TestGroups, offset: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "eos-delete-records-"));
  try {
    const file = join(folder, "offsets.json");
    await writeFile(file, JSON.stringify({ version: 1, partitions: [{ ...groups.partition(), offset }] }));
    const run = await runKafkaTool("org.apache.kafka.tools.DeleteRecordsCommand", ["--offset-json-file", file], {
      bootstrapServers: groups.brokers.join(","),
    });
    run.stdout.resume();
    await run.ended;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("a group without committed offsets", () => {
  it("begins with the first record by default", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const seen = new Journal<number>();
    await groups.group({ handler: ({ offset }) => seen.add(offset) }).start();
    await seen.reached(5);
    expect(seen.entries).toEqual(upTo(5));
  });

  it("begins at the end with autoOffsetReset 'latest'", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const seen = new Journal<number>();
    const assigned = new Latch();
    const group = groups.group({
      autoOffsetReset: "latest",
      handler: ({ offset }) => seen.add(offset),
      onAssigned: () => assigned.open(),
    });
    await group.start();
    await assigned.opened;
    await groups.write(numbered(3));
    await seen.reached(3);
    expect(seen.entries).toEqual([5, 6, 7]);
  });

  it("that began at the end misses nothing that is written while it is restarted, although it has not handled a record", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const seen = new Journal<number>();
    const options = {
      autoOffsetReset: "latest",
      handler: ({ offset }: { offset: number }) => seen.add(offset),
    } as const;
    const assigned = new Latch();
    const first = groups.group({ ...options, onAssigned: () => assigned.open() });
    await first.start();
    await assigned.opened;
    await first.close();
    await groups.write(numbered(3));
    await groups.group(options).start();
    await seen.reached(3);
    expect(seen.entries).toEqual([5, 6, 7]);
  });

  it("stops with autoOffsetReset 'none', and the error names the partition", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const seen: number[] = [];
    const group = groups.group({ autoOffsetReset: "none", handler: ({ offset }) => void seen.push(offset) });
    await group.start();
    expect(await failureOf(group)).toMatchObject({
      code: "EOS_NO_COMMITTED_OFFSET",
      message: expect.stringContaining(`${groups.topic}-0`) as string,
    });
    expect(group.health()).toMatchObject({ state: "ERROR", isLive: false, isReady: false });
    expect(seen).toEqual([]);
    expect(await groups.committed()).toBe(-1);
  });

  it("goes on at its commit when there is one, whatever autoOffsetReset says", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    await groups.setCommitted(3);
    const seen = new Journal<number>();
    await groups.group({ autoOffsetReset: "none", handler: ({ offset }) => seen.add(offset) }).start();
    await seen.reached(2);
    expect(seen.entries).toEqual([3, 4]);
  });
});

describe("a committed offset whose record has been deleted", () => {
  it("stops the group by default, or is followed by either end, as onOffsetOutOfRange says", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    await groups.setCommitted(2);
    await deleteBefore(groups, 6);
    const seen = new Journal<number>();
    const handler = ({ offset }: { readonly offset: number }) => seen.add(offset);
    const stopped = groups.group({ handler });
    await stopped.start();
    expect(await failureOf(stopped)).toMatchObject({ code: "EOS_OFFSET_OUT_OF_RANGE", offset: 2, partition: 0 });
    expect(seen.entries).toEqual([]);
    expect(await groups.committed()).toBe(2);

    const earliest = groups.group({ onOffsetOutOfRange: "earliest", handler });
    await earliest.start();
    await seen.reached(4);
    await earliest.close();
    expect(seen.entries).toEqual([6, 7, 8, 9]);
    expect(await groups.committed()).toBe(10);

    await groups.setCommitted(3);
    const latest = groups.group({ onOffsetOutOfRange: "latest", handler });
    await latest.start();
    // Skipping is a new position: it is committed without another record.
    await groups.untilCommitted(10);
    await groups.write(numbered(1));
    await seen.reached(5);
    expect(seen.entries.at(-1)).toBe(10);
  });

  it("or beyond the end, as after an unclean election, is treated alike", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(3));
    await groups.setCommitted(100);
    const seen = new Journal<number>();
    const group = groups.group({ onOffsetOutOfRange: "earliest", handler: ({ offset }) => seen.add(offset) });
    await group.start();
    await seen.reached(3);
    await group.close();
    expect(seen.entries).toEqual(upTo(3));
    expect(await groups.committed()).toBe(3);
  });
});

describe("seek", () => {
  const FIRST_MS = 1_700_000_000_000;
  const cases: readonly (readonly [string, SeekPosition, number])[] = [
    ["an offset", { offset: 7 }, 7],
    ["the first record at or after a time", { timestampMs: FIRST_MS + 3_500 }, 4],
    ["the beginning", "beginning", 0],
    ["the end, for a time after the last record", { timestampMs: FIRST_MS + 60_000 }, 10],
    ["the end", "end", 10],
  ];

  it.for(cases)("goes on at %s, and the new position is committed", async ([, position, expected]) => {
    await using groups = await TestGroups.create();
    await groups.write(upTo(10).map((index) => ({ value: `value ${index}`, timestamp: FIRST_MS + index * 1_000 })));
    const seen = new Journal<number>();
    const group = groups.group({ handler: ({ offset }) => seen.add(offset) });
    await group.start();
    await groups.untilCommitted(10);
    group.pause(groups.partition());
    await group.seek(groups.partition(), position);
    await groups.untilCommitted(expected);
    await groups.write(numbered(1));
    group.resume(groups.partition());
    await seen.reached(10 + 11 - expected);
    await group.close();
    expect(seen.entries.slice(10)).toEqual(upTo(11 - expected, expected));
    expect(await groups.committed()).toBe(11);
  });

  it("ignores what is in hand, whose signal fires", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const seen = new Journal<number>();
    const release = new Latch();
    const signals: AbortSignal[] = [];
    const results: number[] = [];
    const group = groups.group({
      handler: async ({ offset }, { signal }) => {
        seen.add(offset);
        if (signals.push(signal) === 1) await release.opened;
      },
      onResult: ({ offset }) => void results.push(offset),
    });
    await group.start();
    await seen.reached(1);
    await group.seek(groups.partition(), { offset: 5 });
    expect(signals[0]?.aborted).toBe(true);
    release.open();
    await groups.untilCommitted(10);
    expect(seen.entries).toEqual([0, 5, 6, 7, 8, 9]);
    expect(results).toEqual([5, 6, 7, 8, 9]);
  });

  it("of a partition that is assigned elsewhere is an error that says so", async () => {
    await using groups = await TestGroups.create();
    const group = groups.group({ handler: () => {} });
    await group.start();
    await expect(group.seek({ topic: groups.topic, partition: 1 }, { offset: 0 })).rejects.toThrow(NotAssignedError);
  });
});

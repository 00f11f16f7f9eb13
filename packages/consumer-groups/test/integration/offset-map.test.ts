import { decodeOffsetMetadata } from "@eos/core";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { numbered, TestGroups, upTo } from "../test-groups.ts";

describe("records completed beyond one that is not", () => {
  it("are not handled again after a restart; the map is in the commit's metadata", async () => {
    await using groups = await TestGroups.create();
    await groups.write(upTo(40).map((index) => ({ key: `key ${index % 4}`, value: `value ${index}` })));
    const stuck = new Latch();
    const first = new Journal<number>();
    const group = groups.group({
      ordering: "key",
      handler: async ({ offset }) => {
        if (offset === 5 || offset === 18) await stuck.opened;
        first.add(offset);
      },
    });
    await group.start();
    // Keys 1 and 2 stop at offsets 5 and 18; what is behind of them waits.
    const waiting = upTo(40).filter(
      (offset) => (offset % 4 === 1 && offset >= 5) || (offset % 4 === 2 && offset >= 18),
    );
    await first.reached(40 - waiting.length);
    await group.close({ drain: false });
    const { offset, metadata } = await groups.commitOf();
    expect(offset).toBe(5);
    const completed = decodeOffsetMetadata(metadata, offset)?.completed ?? [];
    expect(completed.flatMap((range) => upTo(range.to - range.from, range.from))).toEqual(
      upTo(35, 5).filter((at) => !waiting.includes(at)),
    );
    const second = new Journal<number>();
    await groups.group({ ordering: "key", handler: ({ offset }) => second.add(offset) }).start();
    await groups.untilCommitted(40);
    expect(second.entries.toSorted((a, b) => a - b)).toEqual(waiting);
  });

  it("are left out of a batch handler's batches too", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const stuck = new Latch();
    const seen = new Journal<number>();
    const group = groups.group({
      ordering: "unordered",
      handler: async ({ offset }) => {
        if (offset % 3 === 0) await stuck.opened;
        seen.add(offset);
      },
    });
    await group.start();
    await seen.reached(6);
    await group.close({ drain: false });
    const batches = new Journal<number[]>();
    const successor = groups.group({
      batchHandler: ({ records }) => batches.add(records.map(({ offset }) => offset)),
    });
    await successor.start();
    await groups.untilCommitted(10);
    expect(batches.entries).toEqual([[0, 3, 6, 9]]);
  });
});

describe("metadata that is not ours", () => {
  it.for(["", "checked by a tool", '{"done":"gAE"}', "eos1:{", 'eos1:{"done":"!!!"}', 'eos9:{"done":"gAE"}'])(
    "is ignored, and the next commit replaces it: %j",
    async (metadata) => {
      await using groups = await TestGroups.create();
      await groups.write(numbered(5));
      await groups.setCommitted(2, metadata);
      const seen = new Journal<number>();
      await groups.group({ handler: ({ offset }) => seen.add(offset) }).start();
      await groups.untilCommitted(5);
      expect(seen.entries).toEqual([2, 3, 4]);
      expect(decodeOffsetMetadata((await groups.commitOf()).metadata, 5)).toEqual({});
    },
  );
});

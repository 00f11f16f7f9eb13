import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { numbered, TestGroups, upTo } from "../test-groups.ts";
import { Worker } from "../worker.ts";

describe("SIGTERM in the middle of", () => {
  it.for([
    ["a record", { handler: "record", handlerMs: 100 }],
    ["a batch", { handler: "batch", handlerMs: 1_000 }],
  ] as const)(
    "%s: the process exits with 0 in time; nothing is skipped, and nothing handled twice",
    async ([, options]) => {
      await using groups = await TestGroups.create({ partitions: 2 });
      for (const partition of [0, 1]) await groups.write(numbered(200, { partition }));
      await using worker = new Worker(groups, options);
      await worker.handled(options.handler === "batch" ? 50 : 5);
      const startedMs = performance.now();
      expect(await worker.terminate()).toBe(0);
      expect(performance.now() - startedMs).toBeLessThan(10_000);
      const seen = new Journal<{ readonly partition: number; readonly offset: number }>();
      const group = groups.group({ handler: seen.add });
      await group.start();
      for (const partition of [0, 1]) await groups.untilCommitted(200, partition);
      for (const partition of [0, 1]) {
        // It let what was in hand finish, and committed it.
        const before = worker.offsets("handled", partition);
        expect(worker.offsets("handling", partition)).toEqual(before);
        const after = seen.entries.filter((record) => record.partition === partition).map(({ offset }) => offset);
        expect(after.length).toBeGreaterThan(0);
        expect([...before, ...after]).toEqual(upTo(200));
      }
    },
  );

  it("a record that takes longer than the time to close: it exits with 0 in time, and that record comes again", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(3));
    await using worker = new Worker(groups, { handlerMs: 60_000 });
    await worker.reported(({ event }) => event === "handling");
    const startedMs = performance.now();
    expect(await worker.terminate()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    const seen = new Journal<number>();
    await groups.group({ handler: ({ offset }) => seen.add(offset) }).start();
    await seen.reached(3);
    expect(seen.entries).toEqual(upTo(3));
  });
});

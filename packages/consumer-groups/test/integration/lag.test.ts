import type { GroupLag } from "@eos/consumer-groups";
import { runKafkaTool } from "@tooling/kafka";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { numbered, TestGroups } from "../test-groups.ts";

/** The column LAG of kafka-consumer-groups.sh, by partition. */
async function lagByKafka(groups: TestGroups): Promise<Map<number, string>> {
  const run = await runKafkaTool(
    "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    ["--describe", "--group", groups.groupId],
    { bootstrapServers: groups.brokers.join(",") },
  );
  const lags = new Map<number, string>();
  for await (const line of run.lines) {
    const [group, topic, partition, , , lag] = line.trim().split(/\s+/);
    if (group === groups.groupId && topic === groups.topic) lags.set(Number(partition), lag ?? "");
  }
  await run.ended;
  return lags;
}

describe("the lag of a group that has caught up", () => {
  it("is 0 behind the markers of transactions, committed and aborted, to Kafka's own tool as well", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    await groups.write(numbered(5, { partition: 1 }));
    await groups.writeInTransaction(numbered(4), "commit");
    await groups.writeInTransaction(numbered(3), "abort");
    const seen = new Journal<number>();
    const group = groups.group({ handler: ({ partition }) => seen.add(partition) });
    await group.start();
    await groups.untilCommitted(9, 0);
    await groups.untilCommitted(5, 1);
    expect(seen.entries.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1]);
    const lag = await group.lag();
    expect(lag).toMatchObject({ records: 0, maxRecords: 0, maxSeconds: 0, state: "OK" });
    expect(lag.partitions).toMatchObject([
      { partition: 0, offset: 9, endOffset: 9, records: 0 },
      { partition: 1, offset: 5, endOffset: 5, records: 0 },
    ]);
    expect(await lagByKafka(groups)).toEqual(
      new Map([
        [0, "0"],
        [1, "0"],
      ]),
    );
  });

  it("is 0 where an aborted transaction is all there is", async () => {
    await using groups = await TestGroups.create();
    await groups.writeInTransaction(numbered(3), "abort");
    const group = groups.group({ handler: () => expect.unreachable() });
    await group.start();
    await groups.untilCommitted(4);
    expect(await group.lag()).toMatchObject({ records: 0 });
  });

  it.for(["record", { intervalMs: 50 }] as const)("is 0 behind markers with commit %j too", async (commit) => {
    await using groups = await TestGroups.create();
    await groups.writeInTransaction(numbered(3), "commit");
    await groups.writeInTransaction(numbered(3), "abort");
    const group = groups.group({ commit, handler: async () => {} });
    await group.start();
    await groups.untilCommitted(8);
    expect(await group.lag()).toMatchObject({ records: 0 });
  });
});

describe("the lag of a group that has not", () => {
  it("counts what is not completed, and everything before the first commit", async () => {
    await using groups = await TestGroups.create({ partitions: 2 });
    await groups.write(numbered(10, { partition: 0 }));
    await groups.write(numbered(4, { partition: 1 }));
    const release = new Latch();
    const group = groups.group({
      commit: "record",
      handler: async ({ partition, offset }) => {
        if (partition === 1 || offset === 6) await release.opened;
      },
    });
    await group.start();
    await groups.untilCommitted(6, 0);
    const lag = await group.lag();
    expect(lag).toMatchObject({ records: 8, maxRecords: 4 });
    expect(lag.partitions).toMatchObject([
      { ...groups.partition(0), offset: 6, endOffset: 10, records: 4 },
      { ...groups.partition(1), offset: null, endOffset: 4, records: 4 },
    ]);
    release.open();
    await groups.untilCommitted(10, 0);
    await groups.untilCommitted(4, 1);
    expect(await group.lag()).toMatchObject({ records: 0, state: "OK" });
  });

  it(
    "is STOP while a record is stuck, REWIND after a step back, and OK when it is done",
    { timeout: 60_000 },
    async () => {
      await using groups = await TestGroups.create();
      await groups.write(numbered(5));
      const stuck = new Latch();
      const rewound = new Latch();
      let passes = 0;
      const group = groups.group({
        commit: "record",
        handler: async ({ offset }) => {
          if (offset === 5) await stuck.opened;
          if (offset === 3 && ++passes === 2) await rewound.opened;
        },
      });
      const lags = new Journal<GroupLag>();
      const stop = group.watchLag(lags.add, { intervalMs: 200 });
      await group.start();
      await groups.untilCommitted(5);
      await groups.write(numbered(2));
      // A window is ten samples, a second apart at least.
      await lags.until((all) => all.at(-1)?.state === "STOP", 30_000);
      stuck.open();
      await lags.until((all) => all.at(-1)?.state === "OK" && all.at(-1)?.records === 0);
      await group.seek(groups.partition(), { offset: 2 });
      await lags.until((all) => all.at(-1)?.state === "REWIND");
      rewound.open();
      await lags.until((all) => all.at(-1)?.state === "OK" && all.at(-1)?.records === 0);
      stop();
      expect(lags.entries.every(({ records }) => records <= 7)).toBe(true);
    },
  );
});

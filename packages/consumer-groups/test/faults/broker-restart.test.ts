import { type KafkaCluster, startKafka } from "@tooling/kafka";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { Latch } from "../latch.ts";
import { numbered, TestGroups, type TextRecord, upTo } from "../test-groups.ts";

let kafka: KafkaCluster;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka?.stop());

describe("a broker that is killed and started again", () => {
  it("costs no record; the group goes on by itself, also with what was in hand", { timeout: 40_000 }, async () => {
    await using groups = await TestGroups.create({ brokers: kafka.bootstrapServers.split(","), partitions: 3 });
    for (const partition of [0, 1, 2]) await groups.write(numbered(50, { partition }));
    const seen = new Journal<TextRecord>();
    const states = new Journal<string>();
    const down = new Latch();
    const up = new Latch();
    const group = groups.group({
      members: 2,
      ordering: "key",
      onStateChange: states.add,
      handler: async (record) => {
        seen.add(record);
        if (record.offset === 20) down.open();
        if (record.offset >= 20) await up.opened;
      },
    });
    await group.start();
    await down.opened;
    const [node] = kafka.nodes;
    await node?.kill();
    expect(group.health().isLive).toBe(true);
    up.open();
    await node?.start();
    for (const partition of [0, 1, 2]) await groups.write(numbered(10, { partition }, 50));
    const isAll = (records: readonly TextRecord[]) =>
      [0, 1, 2].every(
        (partition) => new Set(records.filter((r) => r.partition === partition).map((r) => r.offset)).size === 60,
      );
    await seen.until(isAll, 20_000);
    for (const partition of [0, 1, 2]) await groups.untilCommitted(60, partition);
    // It may take another rebalance until the last member is back.
    await states.until(() => group.state === "RUNNING");
    expect(group.metrics()).toMatchObject({ memberFailedTotal: 0 });
    for (const partition of [0, 1, 2]) {
      const offsets = seen.entries.filter((record) => record.partition === partition).map(({ offset }) => offset);
      expect([...new Set(offsets)].toSorted((a, b) => a - b)).toEqual(upTo(60));
    }
  });

  it("does not keep a group from closing in time while it is down", { timeout: 30_000 }, async () => {
    await using groups = await TestGroups.create({ brokers: kafka.bootstrapServers.split(",") });
    await groups.write(numbered(3));
    const seen = new Journal<TextRecord>();
    const group = groups.group({ commit: { intervalMs: 60_000 }, handler: seen.add });
    await group.start();
    await seen.reached(3);
    const [node] = kafka.nodes;
    await node?.kill();
    const startedMs = performance.now();
    await group.close({ timeoutMs: 1_000 });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(group.state).toBe("NOT_RUNNING");
    await node?.start();
  });
});

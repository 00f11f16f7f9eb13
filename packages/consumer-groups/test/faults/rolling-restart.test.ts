import { setTimeout as sleep } from "node:timers/promises";
import { type KafkaCluster, startKafka } from "@tooling/kafka";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { numbered, TestGroups, type TextRecord, upTo } from "../test-groups.ts";

const PARTITIONS = 3;
const SESSION_TIMEOUT_MS = 6_000;
const WRITE_MS = 50;
const BATCH = 200;

let kafka: KafkaCluster;
beforeAll(async () => {
  kafka = await startKafka({ nodes: 3 });
}, 120_000);
afterAll(() => kafka?.stop());

describe("a cluster of three whose nodes are killed and started again one after the other", () => {
  it("costs no record: the group follows its coordinator and its leaders", { timeout: 150_000 }, async () => {
    await using groups = await TestGroups.create({
      brokers: kafka.bootstrapServers.split(","),
      partitions: PARTITIONS,
    });
    const seen = new Journal<TextRecord>();
    const lost = new Journal<string>();
    const options = { sessionTimeoutMs: SESSION_TIMEOUT_MS, heartbeatIntervalMs: 300, ordering: "key" } as const;
    const group = groups.group({
      ...options,
      members: 2,
      handler: async (record) => {
        await sleep(1);
        seen.add(record);
      },
      onLost: (_partitions, error) => lost.add(error.message),
    });
    await group.start();
    let written = 0;
    let isRolling = true;
    const writing = (async () => {
      while (isRolling) {
        for (const partition of upTo(PARTITIONS)) await groups.write(numbered(BATCH, { partition }, written));
        written += BATCH;
        await sleep(WRITE_MS);
      }
    })();
    for (const node of kafka.nodes) {
      const from = written;
      await node.kill();
      await node.start();
      // Beyond what was fetched before it went down, of every partition.
      await seen.until(
        (records) => upTo(PARTITIONS).every((p) => records.some((r) => r.partition === p && r.offset > from)),
        40_000,
      );
    }
    isRolling = false;
    await writing;
    for (const partition of upTo(PARTITIONS)) await groups.untilCommitted(written, partition);
    for (const partition of upTo(PARTITIONS)) {
      const offsets = new Set(seen.entries.filter((r) => r.partition === partition).map(({ offset }) => offset));
      expect([...offsets].toSorted((a, b) => a - b)).toEqual(upTo(written));
    }
    expect(group.metrics()).toMatchObject({ memberFailedTotal: 0 });
    console.log(
      `rolling restart: records=${written * PARTITIONS} handled=${seen.entries.length} assignments lost=${lost.entries.length}`,
    );
  });
});

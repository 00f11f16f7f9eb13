import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumerGroupOptions } from "@eos/consumer-groups";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { TestGroups, type TestRecord, type TextRecord, upTo } from "../test-groups.ts";

interface Step {
  readonly event: "begins" | "ends";
  readonly record: TextRecord;
}

const PARTITIONS = [0, 1, 2];
const RECORDS = 60;
const KEYS = 7;

/** A third of the records of one key have none. */
function keyed(partition: number): TestRecord[] {
  return upTo(RECORDS).map((index) => ({
    partition,
    ...(index % 3 === 0 ? {} : { key: `key ${index % KEYS}` }),
    value: `${partition}/${index}`,
  }));
}

/** Handles everything with handlers of random duration, and gives what began and ended, in order. */
async function steps(options: Partial<ConsumerGroupOptions<string, string>>): Promise<readonly Step[]> {
  await using groups = await TestGroups.create({ partitions: PARTITIONS.length });
  for (const partition of PARTITIONS) await groups.write(keyed(partition));
  const journal = new Journal<Step>();
  const group = groups.group({
    concurrency: 24,
    handler: async (record) => {
      journal.add({ event: "begins", record });
      await sleep(Math.random() * 8);
      journal.add({ event: "ends", record });
    },
    ...options,
  });
  await group.start();
  await journal.reached(2 * RECORDS * PARTITIONS.length);
  await group.close();
  expect(await groups.lagOf(PARTITIONS.length)).toEqual([0, 0, 0]);
  return journal.entries;
}

/** By lane, whether each record ended before the next one began, in the order of their offsets. */
function isInOrder(all: readonly Step[], laneOf: (record: TextRecord) => string): boolean {
  const lanes = new Map<string, Step[]>();
  for (const step of all) {
    const lane = laneOf(step.record);
    lanes.set(lane, [...(lanes.get(lane) ?? []), step]);
  }
  return [...lanes.values()].every((lane) =>
    lane.every(({ event, record }, index) => {
      const begun = lane[index - 1]?.record.offset ?? -1;
      return (
        event === (index % 2 === 0 ? "begins" : "ends") &&
        (event === "ends" ? record.offset === begun : record.offset > begun)
      );
    }),
  );
}

function mostAtOnce(all: readonly Step[]): number {
  let open = 0;
  return all.reduce((most, { event }) => Math.max(most, (open += event === "begins" ? 1 : -1)), 0);
}

const byPartition = ({ partition }: TextRecord) => String(partition);
const byKey = ({ partition, key }: TextRecord) => `${partition}/${key}`;

describe("with asynchronous handlers of random duration", () => {
  it("ordering 'partition' handles one record of a partition at a time, and the partitions beside each other", async () => {
    const all = await steps({ ordering: "partition" });
    expect(isInOrder(all, byPartition)).toBe(true);
    expect(mostAtOnce(all)).toBe(PARTITIONS.length);
  });

  it("ordering 'key' keeps the order of each key, those without one together, and the keys beside each other", async () => {
    const all = await steps({ ordering: "key" });
    expect(isInOrder(all, byKey)).toBe(true);
    expect(isInOrder(all, byPartition)).toBe(false);
    expect(mostAtOnce(all)).toBeGreaterThan(2 * PARTITIONS.length);
  });

  it("ordering 'unordered' has as many in hand as concurrency allows, and no more", async () => {
    const all = await steps({ ordering: "unordered" });
    expect(isInOrder(all, byKey)).toBe(false);
    expect(mostAtOnce(all)).toBe(24);
  });

  it("a key keeps its order when its records fail and are handled again", async () => {
    await using groups = await TestGroups.create();
    await groups.write(keyed(0));
    const failed = new Set<number>();
    const done = new Journal<Step>();
    const group = groups.group({
      ordering: "key",
      handler: async (record) => {
        await sleep(Math.random() * 3);
        if (record.offset % 10 === 4 && !failed.has(record.offset)) {
          failed.add(record.offset);
          throw new Error("later");
        }
        done.add({ event: "begins", record });
        done.add({ event: "ends", record });
      },
      onError: () => "retry",
    });
    await group.start();
    await done.reached(2 * RECORDS);
    expect(failed.size).toBe(RECORDS / 10);
    expect(isInOrder(done.entries, byKey)).toBe(true);
    // Other keys did not wait for the failed records.
    expect(isInOrder(done.entries, byPartition)).toBe(false);
  });
});

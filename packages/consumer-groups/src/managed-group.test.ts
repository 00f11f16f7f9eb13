import { describe, expect, it } from "vitest";
import { createConsumerGroup } from "./managed-group.ts";
import type { ConsumerGroupOptions } from "./options.ts";

/** Never started: no broker is needed. */
function groupOf(options: Partial<ConsumerGroupOptions> = {}) {
  const states: string[] = [];
  const group = createConsumerGroup({
    brokers: ["localhost:1"],
    groupId: "g",
    topics: "in",
    onStateChange: (next) => states.push(next),
    ...options,
  });
  return { group, states };
}

describe("a group that was not started", () => {
  it("closes at once, and does not start any more", async () => {
    const { group, states } = groupOf({ handler: () => {} });
    await group.close();
    await group.finished;
    expect(states).toEqual(["PENDING_SHUTDOWN", "NOT_RUNNING"]);
    await expect(group.start()).rejects.toMatchObject({ code: "EOS_GROUP_CLOSED" });
    expect(group.health()).toMatchObject({
      state: "NOT_RUNNING",
      isLive: false,
      isReady: false,
      members: [],
      error: null,
    });
  });

  it("ends the loops over its records when it is closed", async () => {
    const { group } = groupOf();
    await group.close();
    const seen: unknown[] = [];
    for await (const record of group) seen.push(record);
    for await (const envelope of group.records({ maxInFlight: 3 })) seen.push(envelope);
    expect(seen).toEqual([]);
  });

  it("is not iterated when it has a handler", () => {
    const { group } = groupOf({ handler: () => {} });
    expect(() => group.records()).toThrow(TypeError);
    expect(() => group[Symbol.asyncIterator]()).toThrow("a group with a handler cannot be iterated");
  });

  it.each([0, -1, 1.5, Number.NaN])(
    "gives no records with maxInFlight %s: none would ever come",
    async (maxInFlight) => {
      const { group } = groupOf();
      expect(() => group.records({ maxInFlight })).toThrow('records: option "maxInFlight" must be a positive integer');
      await group.close();
    },
  );

  it.each([-1, 0.5, Number.NaN])("refuses to scale to %s members", async (members) => {
    const { group } = groupOf({ handler: () => {} });
    await expect(group.scale(members)).rejects.toThrow(TypeError);
    await group.close();
  });

  it("does not scale, as there are no members yet", async () => {
    const { group } = groupOf({ handler: () => {} });
    await expect(group.scale(2)).rejects.toMatchObject({ code: "EOS_GROUP_CLOSED" });
    await group.close();
  });

  it("refuses a pause or a position that makes no sense, and knows of no partition", async () => {
    const { group } = groupOf({ handler: () => {} });
    const partition = { topic: "in", partition: 0 };
    expect(() => group.pause(partition, { forMs: -1 })).toThrow(TypeError);
    expect(group.health().paused).toEqual([]);
    await expect(group.seek(partition, { offset: -1 })).rejects.toThrow(TypeError);
    await expect(group.seek(partition, { offset: 1 })).rejects.toMatchObject({ code: "EOS_NOT_ASSIGNED" });
    expect(group.assigned).toEqual([]);
    await group.close();
  });

  it("takes a pause that outlives what is assigned, and leaves no timer behind when it is closed", async () => {
    const { group } = groupOf({ handler: () => {} });
    group.pause({ topic: "in", partition: 0 }, { forMs: 60_000, reason: "maintenance" });
    expect(group.health().paused).toEqual([{ topic: "in", partition: 0, reason: "maintenance" }]);
    await group.close();
    expect(group.health().paused).toEqual([]);
  });
});

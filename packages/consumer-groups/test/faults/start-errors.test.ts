import { createServer } from "node:net";
import { type ConsumerGroupOptions, createConsumerGroup } from "@eos/consumer-groups";
import { silentLogger } from "@eos/core";
import { uniqueName } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";
import { failureOf, TestGroups } from "../test-groups.ts";

/** A port at which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("start()", () => {
  it("rejects when no broker answers, and names the address", async () => {
    const address = `127.0.0.1:${await deadPort()}`;
    const group = createConsumerGroup({
      brokers: [address],
      groupId: "group",
      topics: "topic",
      logger: silentLogger,
      handler: () => {},
    });
    await expect(group.start()).rejects.toMatchObject({
      code: "EOS_CONNECTION",
      message: expect.stringContaining(address) as string,
    });
    expect(await failureOf(group)).toMatchObject({ code: "EOS_CONNECTION" });
    expect(group.health()).toMatchObject({ state: "ERROR", isLive: false });
    await group.close();
  });

  it("rejects when a topic does not exist, and names it", async () => {
    await using groups = await TestGroups.create();
    const missing = uniqueName("missing");
    const group = groups.group({ topics: [groups.topic, missing], handler: () => {} });
    await expect(group.start()).rejects.toMatchObject({
      code: "EOS_UNKNOWN_TOPIC",
      message: expect.stringContaining(missing) as string,
    });
    expect(await failureOf(group)).toMatchObject({ code: "EOS_UNKNOWN_TOPIC" });
    expect(group.state).toBe("ERROR");
  });
});

describe("options", () => {
  const valid = { brokers: ["127.0.0.1:1"], groupId: "group", topics: "topic", handler: () => {} } as const;
  const wrong: readonly (readonly [object, string])[] = [
    [{ groupId: "" }, '"groupId"'],
    [{ topics: [] }, '"topics"'],
    [{ topics: ["a", ""] }, '"topics"'],
    [{ brokers: [] }, '"brokers"'],
    [{ members: -1 }, '"members"'],
    [{ ordering: "random" }, '"ordering"'],
    [{ concurrency: 0 }, '"concurrency"'],
    [{ commit: "never" }, '"commit"'],
    [{ commit: { intervalMs: 0 } }, '"commit"'],
    [{ commit: { intervalMs: 5, autoCommit: true } }, '"commit"'],
    [{ autoOffsetReset: "beginning" }, '"autoOffsetReset"'],
    [{ onOffsetOutOfRange: "none" }, '"onOffsetOutOfRange"'],
    [{ assignors: [] }, '"assignors"'],
    [{ assignors: [{ name: "mine" }] }, '"assignors"'],
    [{ handler: "handle" }, '"handler"'],
    [{ onMemberFailure: "ignore" }, '"onMemberFailure"'],
    [{ sessionTimeout: 10_000 }, '"sessionTimeout"'],
    [{ batchHandler: () => {} }, '"batchHandler" exclude each other'],
    [{ handler: undefined, batchHandler: () => {}, ordering: "key" }, "must be 'partition' with a batchHandler"],
    [{ maxBatchRecords: 10 }, '"maxBatchRecords" needs a batchHandler'],
    [{ heartbeatIntervalMs: 10_000 }, '"heartbeatIntervalMs" (10000) must be less than sessionTimeoutMs (10000)'],
    [{ revokeTimeoutMs: 60_000 }, '"revokeTimeoutMs" (60000) must be less than rebalanceTimeoutMs (60000)'],
  ];

  it.for(wrong)("that are wrong are a TypeError that names them: %j", ([options, message]) => {
    const create = () => createConsumerGroup({ ...valid, ...options } as ConsumerGroupOptions);
    expect(create).toThrow(TypeError);
    expect(create).toThrow(message);
  });

  it("that are missing are one too", () => {
    for (const name of ["brokers", "groupId", "topics"] as const) {
      const { [name]: _missing, ...rest } = valid;
      expect(() => createConsumerGroup(rest as unknown as ConsumerGroupOptions)).toThrow(`"${name}"`);
    }
  });
});

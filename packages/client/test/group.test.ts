import { silentLogger } from "@eos/core";
import { type Client, FencedInstanceIdError, type GroupConsumer, OffsetBatch } from "@eos/client";
import { type KafkaCluster, type KafkaNode, startKafka } from "@tooling/kafka";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Cluster } from "../src/network/cluster.ts";
import { resolveClientOptions } from "../src/options.ts";
import { MemberFixture, names } from "./group-fixture.ts";
import { connectClient } from "./regression/our-client.ts";

const METADATA_MAX_AGE_MS = 200;

let client: Client;
let topic: string;
let groupId: string;
let members: MemberFixture[];

beforeEach(async () => {
  client = await connectClient();
  topic = uniqueName("group");
  groupId = uniqueName("group");
  members = [];
  await client.admin.createTopics([{ topic, partitions: 4 }]);
});

afterEach(async () => {
  await Promise.all(members.map(({ consumer }) => consumer.close()));
  await client.close();
});

async function join(options: Partial<ConstructorParameters<typeof MemberFixture>[1]> = {}): Promise<MemberFixture> {
  const member = new MemberFixture(client, { groupId, topics: [topic], ...options });
  members.push(member);
  await member.consumer.start();
  return member;
}

/** Their partitions, in the order of the members. */
function partitions(...ids: number[]): string {
  return names(ids.map((partition) => ({ topic, partition })));
}

describe("A static member", () => {
  test("that restarts within its session timeout gets its partitions back, and nobody else notices.", async () => {
    const options = { sessionTimeoutMs: 10_000, metadataMaxAgeMs: METADATA_MAX_AGE_MS };
    const first = await join({ ...options, groupInstanceId: "1" });
    await first.until(({ assigned }) => assigned === partitions(0, 1, 2, 3));
    const second = await join({ ...options, groupInstanceId: "2" });
    await second.until(({ assigned }) => assigned === partitions(2, 3));
    await first.until(({ assigned }) => assigned === partitions(0, 1));
    const { generation } = first.consumer;
    expect(generation?.groupInstanceId).toBe("1");
    const seen = first.events.length;

    await second.consumer.close();
    expect(second.events.at(-1)).toBe(`revoked ${partitions(2, 3)}`);
    const restarted = await join({ ...options, groupInstanceId: "2" });
    await restarted.until(({ events }) => events.length > 0);
    expect(restarted.events).toEqual([`assigned ${partitions(2, 3)}`]);
    expect(restarted.generations[0]?.generationId).toBe(generation?.generationId);
    expect(restarted.consumer.memberId).not.toBe(second.consumer.memberId);
    expect(first.events).toHaveLength(seen);
    expect(first.consumer.generation).toBe(generation);

    // The leader restarts, and is not told that it leads; all the same somebody sees new partitions.
    await first.consumer.close();
    const leader = await join({ ...options, groupInstanceId: "1" });
    await leader.until(({ events }) => events.length > 0);
    expect(leader.events).toEqual([`assigned ${partitions(0, 1)}`]);
    await client.admin.createPartitions(topic, 6);
    await leader.until(({ assigned }) => assigned === partitions(0, 1, 2));
    await restarted.until(({ assigned }) => assigned === partitions(3, 4, 5));
  });

  test("that is told to leave gives its partitions to the others at once.", async () => {
    const first = await join();
    const second = await join({ groupInstanceId: "2", sessionTimeoutMs: 60_000 });
    await second.until(({ assigned }) => assigned === partitions(0, 1));
    await second.consumer.close({ leaveGroup: true });
    await first.until(({ assigned }) => assigned === partitions(0, 1, 2, 3));
  });

  test("is fenced by another of the same id, in its heartbeats and its commits, and says so.", async () => {
    const first = await join({ groupInstanceId: "1" });
    await first.until(({ assigned }) => assigned === partitions(0, 1, 2, 3));
    const second = await join({ groupInstanceId: "1" });
    await second.until(({ events }) => events.length > 0);
    await first.until(({ events }) => events.length === 3);
    expect(first.events).toEqual([
      `assigned ${partitions(0, 1, 2, 3)}`,
      `lost ${partitions(0, 1, 2, 3)}`,
      "fatal EOS_FENCED_INSTANCE_ID",
    ]);
    expect(first.consumer.state).toBe("failed");

    const offsets = new OffsetBatch();
    offsets.set(topic, 3, 1, "");
    const [generation] = first.generations;
    if (generation === undefined) throw new Error("no generation");
    const refused: unknown = await client.commitOffsets({ generation, offsets }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(FencedInstanceIdError);
    expect(refused).toMatchObject({ message: expect.stringContaining(`${topic}-3`) as unknown });

    // The fenced one must not take the other's place with it.
    await first.consumer.close({ leaveGroup: true });
    expect(await second.consumer.confirmMembership()).toBe(true);
    expect(second.events).toEqual([`assigned ${partitions(0, 1, 2, 3)}`]);
  });
});

describe("A group whose topics change", () => {
  test("shares out partitions that are added, having revoked what it had.", async () => {
    const first = await join({ metadataMaxAgeMs: METADATA_MAX_AGE_MS });
    const second = await join({ metadataMaxAgeMs: METADATA_MAX_AGE_MS });
    for (const member of [first, second]) await member.until(({ assigned }) => assigned.split(" ").length === 2);
    await first.until(({ consumer }) => consumer.partitions.length === 2);
    await client.admin.createPartitions(topic, 6);
    for (const member of [first, second]) {
      await member.until(({ assigned }) => assigned.split(" ").length === 3);
      expect(member.events.some((event) => event.startsWith("lost"))).toBe(false);
    }
    expect([first.assigned, second.assigned].sort()).toEqual([partitions(0, 1, 2), partitions(3, 4, 5)]);
  });

  test("lets go of a topic that is deleted, with a warning, and takes it up when it is back.", async () => {
    const other = `${topic}-other`;
    await client.admin.createTopics([{ topic: other, partitions: 1 }]);
    const warnings: object[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
    await using watchful = await connectClient({ logger });
    const member = new MemberFixture(watchful, {
      groupId,
      topics: [topic, other],
      metadataMaxAgeMs: METADATA_MAX_AGE_MS,
    });
    await member.consumer.start();
    await member.until(({ assigned }) => assigned === `${partitions(0, 1, 2, 3)} ${other}-0`);
    await client.admin.deleteTopics([other]);
    await member.until(({ assigned }) => assigned === partitions(0, 1, 2, 3));
    expect(warnings.filter((fields) => "topic" in fields && fields.topic === other)).toHaveLength(1);
    await client.admin.createTopics([{ topic: other, partitions: 2 }]);
    await member.until(({ assigned }) => assigned === `${partitions(0, 1, 2, 3)} ${other}-0 ${other}-1`);
    expect(member.events.some((event) => event.startsWith("lost"))).toBe(false);
    await member.consumer.close();
  });

  test("follows a RegExp: it begins with nothing, and takes up topics as they come and go.", async () => {
    const prefix = uniqueName("match");
    const topics = new RegExp(`^${prefix}`);
    const first = await join({ topics, metadataMaxAgeMs: METADATA_MAX_AGE_MS });
    const second = await join({ topics, metadataMaxAgeMs: METADATA_MAX_AGE_MS });
    await second.until(({ events }) => events.length > 0);
    expect(second.assigned).toBe("");
    const held = (): string[] => [...first.assigned.split(" "), ...second.assigned.split(" ")].filter(Boolean).sort();
    const all = async (...wanted: string[]): Promise<void> => {
      await expect.poll(held, { timeout: 10_000, interval: 20 }).toEqual(wanted);
    };
    await client.admin.createTopics([{ topic: `${prefix}-a`, partitions: 2 }]);
    await all(`${prefix}-a-0`, `${prefix}-a-1`);
    await client.admin.createTopics([{ topic: `${prefix}-b`, partitions: 1 }]);
    await all(`${prefix}-a-0`, `${prefix}-a-1`, `${prefix}-b-0`);
    await client.admin.deleteTopics([`${prefix}-a`]);
    await all(`${prefix}-b-0`);
    expect([...first.events, ...second.events].some((event) => event.startsWith("lost"))).toBe(false);
  });
});

describe("A member that is closed", () => {
  test("while its JoinGroup waits for the others is not waited for.", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = await join({ hooks: { onRevoked: () => held } });
    await slow.until(({ assigned }) => assigned === partitions(0, 1, 2, 3));
    const waiting = await join({ sessionTimeoutMs: 30_000 });
    await expect.poll(() => waiting.consumer.memberId, { interval: 10 }).not.toBe("");
    const startedMs = performance.now();
    await waiting.consumer.close();
    release();
    await slow.until(({ generations }) => generations.length === 2);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(slow.assigned).toBe(partitions(0, 1, 2, 3));
    expect(waiting.events).toEqual([]);
  });
});

describe("A commit outside a transaction", () => {
  test("that is refused names the first partition that was.", async () => {
    const member = await join();
    await member.until(({ generations }) => generations.length === 1);
    const [generation] = member.generations;
    if (generation === undefined) throw new Error("no generation");
    const offsets = new OffsetBatch();
    offsets.set(topic, 0, 1, "fits");
    offsets.set(topic, 2, 1, "x".repeat(5_000));
    const refused: unknown = await client.commitOffsets({ generation, offsets }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      kafkaName: "OFFSET_METADATA_TOO_LARGE",
      severity: "fatal",
      message: expect.stringContaining(`${topic}-2`) as unknown,
      hint: expect.stringContaining("offset.metadata.max.bytes") as unknown,
    });
  });
});

describe("A group whose coordinator's node is lost", () => {
  let kafka: KafkaCluster;
  let remote: Client;

  beforeAll(async () => {
    kafka = await startKafka({ nodes: 3 });
    remote = await connectClient({ brokers: kafka.bootstrapServers.split(",") });
  }, 60_000);

  afterAll(async () => {
    await remote?.close();
    await kafka?.stop();
  });

  test.each([
    ["freezes", (node: KafkaNode) => node.pause(), (node: KafkaNode) => node.resume()],
    ["is killed", (node: KafkaNode) => node.kill(), () => undefined],
  ] as const)(
    "keeps its members, or has them back in time, when it %s.",
    { timeout: 60_000 },
    async (_, lose, repair) => {
      await remote.admin.createTopics([{ topic, partitions: 4, replicationFactor: 3 }]);
      const sessionTimeoutMs = 6_000;
      const pair = [0, 1].map(() => new MemberFixture(remote, { groupId, topics: [topic], sessionTimeoutMs }));
      for (const { consumer } of pair) await consumer.start();
      const settled = (): boolean =>
        pair.every(({ consumer }) => consumer.state === "stable" && consumer.partitions.length === 2);
      await expect.poll(settled, { timeout: 20_000, interval: 20 }).toBe(true);

      const brokers = kafka.bootstrapServers.split(",");
      const coordinator = await coordinatorOf(brokers, groupId);
      const node = kafka.nodes.find(({ id }) => id === coordinator);
      if (node === undefined) throw new Error("no coordinator");
      const others = kafka.nodes.filter((other) => other !== node).map(({ port }) => `127.0.0.1:${port}`);
      const lostMs = performance.now();
      await lose(node);
      onTestFinished(() => repair(node));
      const foundMs = (async (): Promise<number> => {
        while ((await coordinatorOf(others, groupId)) === coordinator)
          await new Promise((resolve) => setTimeout(resolve, 50));
        return performance.now() - lostMs;
      })();
      const tookMs = await Promise.all(
        pair.map(async ({ consumer }) => {
          await counted(consumer, others);
          return performance.now() - lostMs;
        }),
      );
      // The cluster itself may take longer than a session to name another coordinator.
      expect(Math.max(...tookMs)).toBeLessThan(Math.max(sessionTimeoutMs, await foundMs) + 3_000);
      expect(settled()).toBe(true);
      await Promise.all(pair.map(({ consumer }) => consumer.close()));
    },
  );

  /** Until the new coordinator accepts the member's heartbeat, and its commit. */
  async function counted(consumer: GroupConsumer, brokers: string[]): Promise<void> {
    await using fresh = await connectClient({ brokers });
    for (;;) {
      const { generation } = consumer;
      const [partition] = consumer.partitions;
      if (generation !== null && partition !== undefined && (await consumer.confirmMembership())) {
        const offsets = new OffsetBatch();
        offsets.set(partition.topic, partition.partition, 1, "");
        const committed = fresh.commitOffsets({ generation, offsets }).then(
          () => true,
          () => false,
        );
        if (await committed) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});

async function coordinatorOf(brokers: string[], group: string): Promise<number> {
  const cluster = new Cluster(resolveClientOptions("createClient", { brokers, logger: silentLogger }));
  try {
    await cluster.connect();
    return await cluster.coordinator("group", group);
  } finally {
    await cluster.close();
  }
}

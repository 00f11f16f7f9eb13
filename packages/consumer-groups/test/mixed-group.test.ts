import { fileURLToPath } from "node:url";
import { type Assignor, type Client, createClient, type MemberSubscription, rangeAssignor } from "@eos/client";
import { formatTopicPartition, type TopicPartition } from "@eos/core";
import { type KafkaToolRun, runKafkaTool } from "@tooling/kafka";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roundRobinAssignor } from "../src/assignors/round-robin-assignor.ts";
import { stickyAssignor } from "../src/assignors/sticky/sticky-assignor.ts";

const MIXED_CONSUMER = fileURLToPath(new URL("java/MixedConsumer.java", import.meta.url));
const JAVA_ASSIGNORS = new Map([
  [rangeAssignor, "org.apache.kafka.clients.consumer.RangeAssignor"],
  [roundRobinAssignor, "org.apache.kafka.clients.consumer.RoundRobinAssignor"],
  [stickyAssignor, "org.apache.kafka.clients.consumer.StickyAssignor"],
]);

interface MemberAssignment {
  readonly memberId: string;
  readonly generationId: number;
  readonly partitions: readonly TopicPartition[];
}

interface Member {
  readonly last: MemberAssignment | undefined;
  leave(): Promise<void>;
}

/** A group of Java's consumers and ours, and what each was assigned last. */
class MixedGroup {
  readonly groupId = uniqueName("mixed-group");
  readonly members: Member[] = [];
  readonly #client: Client;
  readonly #topics: readonly string[];
  readonly #assignor: Assignor;
  #generationId = 0;
  #wake = (): void => {};
  /** How often one of ours was the leader. */
  ledByOurs = 0;

  constructor(client: Client, topics: readonly string[], assignor: Assignor) {
    this.#client = client;
    this.#topics = topics;
    this.#assignor = assignor;
  }

  async joinOurs(): Promise<MemberAssignment[]> {
    let last: MemberAssignment | undefined;
    const consumer = this.#client.groupConsumer({
      groupId: this.groupId,
      topics: this.#topics,
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 50,
      rebalanceTimeoutMs: 10_000,
      assignors: [
        {
          ...this.#assignor,
          assign: (members, partitionCounts) => {
            this.ledByOurs++;
            return this.#assignor.assign(members, partitionCounts);
          },
        },
      ],
      observer: {},
      onFetched: () => {},
      onFetchError: () => {},
      onFatal: (error) => {
        throw error;
      },
      hooks: {
        onAssigned: (partitions, { memberId, generationId }) => {
          last = { memberId, generationId, partitions };
          this.#wake();
          return Promise.resolve();
        },
        onRevoked: () => Promise.resolve(),
        onLost: () => Promise.resolve(),
      },
    });
    await consumer.start();
    return this.#add({
      get last() {
        return last;
      },
      leave: () => consumer.close(),
    });
  }

  async joinJava(): Promise<MemberAssignment[]> {
    const args = [this.groupId, JAVA_ASSIGNORS.get(this.#assignor) as string, this.#topics.join(",")];
    const java = await runKafkaTool(MIXED_CONSUMER, args, { bootstrapServers: testBroker().bootstrapServers });
    let last: MemberAssignment | undefined;
    void this.#follow(java, (assignment) => {
      last = assignment;
    });
    return this.#add({
      get last() {
        return last;
      },
      leave: () => java.stop(),
    });
  }

  async leave(member: Member): Promise<MemberAssignment[]> {
    this.members.splice(this.members.indexOf(member), 1);
    await member.leave();
    return this.#settled();
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.leave()));
  }

  #add(member: Member): Promise<MemberAssignment[]> {
    this.members.push(member);
    return this.#settled();
  }

  async #follow(java: KafkaToolRun, onAssigned: (assignment: MemberAssignment) => void): Promise<void> {
    for await (const line of java.lines) {
      onAssigned(JSON.parse(line) as MemberAssignment);
      this.#wake();
    }
  }

  /** Once all members are in one generation that is newer than the last one. */
  async #settled(): Promise<MemberAssignment[]> {
    for (;;) {
      const assignments = this.members.map(({ last }) => last).filter((last) => last !== undefined);
      const generations = new Set(assignments.map(({ generationId }) => generationId));
      const [generationId = 0] = generations;
      if (assignments.length === this.members.length && generations.size === 1 && generationId > this.#generationId) {
        this.#generationId = generationId;
        return assignments;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function names(partitions: readonly TopicPartition[]): string[] {
  return partitions.map(formatTopicPartition).sort();
}

function ownersOf(assignments: readonly MemberAssignment[]): Map<string, string> {
  return new Map(
    assignments.flatMap(({ memberId, partitions }) =>
      names(partitions).map((partition): [string, string] => [partition, memberId]),
    ),
  );
}

describe.each([...JAVA_ASSIGNORS.keys()])("A group of Java consumers and ours, with $name", (assignor) => {
  // Each member's share is whole with 2 members and with 3: of sticky assignments that are equally good, which one it is
  // depends on the order in which the broker names the members.
  const partitionCounts = new Map([
    [uniqueName("mixed-a"), 4],
    [uniqueName("mixed-b"), 8],
  ]);
  const topics = [...partitionCounts.keys()];
  let client: Client;
  beforeAll(async () => {
    client = createClient({ brokers: testBroker().brokers });
    await client.connect();
    await client.admin.createTopics(
      [...partitionCounts].map(([topic, partitions]) => ({ topic, partitions, replicationFactor: 1 })),
    );
  });
  afterAll(() => client.close());

  /** Java's assignor makes the same of the same input, see java-assignments.test.ts. */
  function expected(now: readonly MemberAssignment[], before: readonly MemberAssignment[]): Map<string, string[]> {
    const members = now.map(({ memberId }): MemberSubscription => {
      const previous = before.find((assignment) => assignment.memberId === memberId);
      const generationId = previous?.generationId ?? -1;
      const userData = assignor.userData?.(previous?.partitions ?? [], generationId) ?? null;
      return { memberId, groupInstanceId: null, topics, ownedPartitions: [], generationId, userData };
    });
    const assigned = assignor.assign(members, partitionCounts);
    return new Map(
      [...assigned].map(([memberId, assignment]) => [
        memberId,
        names([...assignment].flatMap(([topic, ids]) => ids.map((partition) => ({ topic, partition })))),
      ]),
    );
  }

  function check(now: readonly MemberAssignment[], before: readonly MemberAssignment[]): void {
    const all = [...partitionCounts].flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    );
    expect(now.flatMap(({ partitions }) => names(partitions)).sort()).toEqual(names(all));
    expect(new Map(now.map(({ memberId, partitions }) => [memberId, names(partitions)]))).toEqual(
      expected(now, before),
    );
    if (assignor !== stickyAssignor) return;
    const [old, current] = [ownersOf(before), ownersOf(now)];
    const newcomers = now.filter(({ memberId }) => !before.some((assignment) => assignment.memberId === memberId));
    const moved = [...current].filter(
      ([partition, owner]) =>
        now.some(({ memberId }) => memberId === old.get(partition)) && old.get(partition) !== owner,
    );
    expect(moved.map(([partition]) => partition).sort()).toEqual(
      before.length === 0 ? [] : newcomers.flatMap(({ partitions }) => names(partitions)).sort(),
    );
  }

  test.each(["java", "ours"] as const)("which %s leads: complete, and as Java's assignor makes it.", async (leader) => {
    const group = new MixedGroup(client, topics, assignor);
    try {
      const one = leader === "java" ? await group.joinJava() : await group.joinOurs();
      check(one, []);
      const two = leader === "java" ? await group.joinOurs() : await group.joinJava();
      check(two, one);
      const three = await group.joinOurs();
      check(three, two);
      const [, second] = group.members;
      const rest = await group.leave(second as Member);
      check(rest, three);
      expect(group.ledByOurs > 0).toBe(leader === "ours");
    } finally {
      await group.close();
    }
  });
});

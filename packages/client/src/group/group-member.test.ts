import { silentLogger, type TopicPartition } from "@eos/core";
import { afterEach, describe, expect, test } from "vitest";
import { ClientClosedError, ConnectionError, FencedInstanceIdError, UnknownTopicError } from "../errors/errors.ts";
import { FastClock } from "../fast-clock-fixture.ts";
import type { Cluster } from "../network/cluster.ts";
import { ByteReader } from "../protocol/byte-reader.ts";
import type { KafkaRequest } from "../protocol/request.ts";
import type { Assignor } from "./assignor.ts";
import { decodeSubscription, encodeAssignment, type Subscription } from "./consumer-protocol.ts";
import type { GroupGeneration } from "./group-generation.ts";
import { GroupMember, type GroupMemberOptions, type RebalanceHooks } from "./group-member.ts";
import { rangeAssignor } from "./range-assignor.ts";

const SESSION_TIMEOUT_MS = 1_000;
const HEARTBEAT_INTERVAL_MS = 100;

const ILLEGAL_GENERATION = 22;
const UNKNOWN_MEMBER_ID = 25;
const REBALANCE_IN_PROGRESS = 27;
const GROUP_AUTHORIZATION_FAILED = 30;
const COORDINATOR_LOAD_IN_PROGRESS = 14;
const NOT_COORDINATOR = 16;
const MEMBER_ID_REQUIRED = 79;
const FENCED_INSTANCE_ID = 82;

/** `never`: the request waits until its connection is given up; `hangs`: even then, as while one is made. */
type Answer = number | Error | "never" | "hangs";

/** A coordinator with one group of one member, which does as it is told first and by the protocol otherwise. */
class FakeCoordinator {
  readonly requests: string[] = [];
  readonly forgotten: string[] = [];
  /** Partitions by topic. */
  readonly topics = new Map([["in", 2]]);
  /** The subscription in the last JoinGroup, by protocol. */
  subscribed = new Map<string, Subscription>();
  /** What the group agrees on; else the first protocol that is offered. */
  protocolName: string | null = null;
  instanceId: string | null = null;
  leads = true;
  refreshes = 0;
  suspected = 0;
  readonly lanes: (string | undefined)[] = [];
  generationId = 0;
  memberId = "";
  #memberCount = 0;
  #giveUp: ((error: Error) => void) | null = null;
  readonly #told = new Map<string, Answer[]>();

  /** Answers the next requests of this API so, one after the other. */
  tell(api: string, ...answers: Answer[]): void {
    this.#told.set(api, [...(this.#told.get(api) ?? []), ...answers]);
  }

  /** Heartbeats of an older generation are answered as the real coordinator does. */
  expel(): void {
    this.memberId = "";
  }

  count(api: string): number {
    return this.requests.filter((request) => request === api).length;
  }

  get cluster(): Cluster {
    const cluster = {
      coordinator: () => Promise.resolve(1),
      forgetCoordinator: (kind: string, key: string) => void this.forgotten.push(`${kind} ${key}`),
      suspectCoordinator: () => {
        this.suspected++;
        this.#giveUp?.(new ConnectionError("given up"));
      },
      topic: (name: string) => this.#topic(name),
      topicNames: () => Promise.resolve([...this.topics.keys()]),
      refreshMetadata: () => {
        this.refreshes++;
        return Promise.resolve();
      },
      send: (_node: number, request: KafkaRequest, lane?: string) => {
        if (request.apiName === "LeaveGroup") this.lanes.push(lane);
        return this.#receive(request);
      },
    };
    return cluster as unknown as Cluster;
  }

  async #receive(request: KafkaRequest): Promise<unknown> {
    const { apiName } = request;
    this.requests.push(apiName);
    await new Promise((resolve) => setImmediate(resolve));
    const told = this.#told.get(apiName)?.shift();
    if (told === "hangs") return await new Promise(() => {});
    if (told === "never") return await new Promise((_, reject) => (this.#giveUp = reject));
    if (told instanceof Error) throw told;
    const reader = new ByteReader(request.body[0] as Buffer);
    reader.compactString();
    switch (apiName) {
      case "JoinGroup":
        return this.#join(reader, told);
      case "SyncGroup":
        return {
          errorCode: told ?? 0,
          assignment: told === undefined ? this.#assignmentFrom(reader) : Buffer.alloc(0),
        };
      case "Heartbeat":
        return { errorCode: told ?? this.#heartbeatCode(reader) };
      case "LeaveGroup":
        this.memberId = "";
        return { errorCode: told ?? 0, members: [] };
      default:
        throw new Error(`the fake coordinator does not know ${apiName}`);
    }
  }

  async #topic(name: string): Promise<unknown> {
    const count = this.topics.get(name);
    if (count === undefined) throw new UnknownTopicError(name);
    return { name, partitions: Array.from({ length: count }, (_, partition) => ({ partition })) };
  }

  #join(reader: ByteReader, told: number | undefined): object {
    reader.int32();
    reader.int32();
    const memberId = reader.compactString();
    this.instanceId = reader.compactNullableString();
    reader.compactString();
    const refused = { generationId: -1, leader: "", members: [] };
    if (told !== undefined) return { ...refused, errorCode: told, memberId };
    if (memberId === "" && this.instanceId === null)
      return { ...refused, errorCode: MEMBER_ID_REQUIRED, memberId: this.#newMemberId() };
    const protocols = reader.compactArray((r) => {
      const name = r.compactString();
      const metadata = r.compactBytes() ?? Buffer.alloc(0);
      r.skipTags();
      return { name, metadata };
    });
    this.subscribed = new Map(protocols.map(({ name, metadata }) => [name, decodeSubscription(metadata)]));
    this.memberId = memberId === "" ? this.#newMemberId() : memberId;
    this.generationId++;
    const protocolName = this.protocolName ?? protocols[0]?.name ?? "";
    const metadata = protocols.find(({ name }) => name === protocolName)?.metadata ?? Buffer.alloc(0);
    return {
      errorCode: 0,
      generationId: this.generationId,
      protocolName,
      leader: this.leads ? this.memberId : "another",
      memberId: this.memberId,
      members: this.leads ? [{ memberId: this.memberId, groupInstanceId: this.instanceId, metadata }] : [],
    };
  }

  #newMemberId(): string {
    return `member-${++this.#memberCount}`;
  }

  #assignmentFrom(reader: ByteReader): Buffer {
    reader.int32();
    reader.compactString();
    reader.compactNullableString();
    reader.compactNullableString();
    reader.compactNullableString();
    const [assigned] = reader.compactArray((r) => {
      r.compactString();
      const assignment = r.compactBytes() ?? Buffer.alloc(0);
      r.skipTags();
      return assignment;
    });
    return assigned ?? encodeAssignment(new Map());
  }

  #heartbeatCode(reader: ByteReader): number {
    const generationId = reader.int32();
    if (reader.compactString() !== this.memberId) return UNKNOWN_MEMBER_ID;
    return generationId === this.generationId ? 0 : ILLEGAL_GENERATION;
  }
}

/** What the member's owner saw, in order. */
class EventLog {
  readonly events: string[] = [];
  #waiters: (() => void)[] = [];

  add(event: string): void {
    this.events.push(event);
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** Waits until `event` has come `times` times. */
  async until(event: string, times = 1): Promise<void> {
    while (this.events.filter((e) => e === event).length < times) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}

const members: GroupMember[] = [];

afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.close(true)));
});

function createMember(
  coordinator: FakeCoordinator,
  log: EventLog,
  overrides: Partial<GroupMemberOptions> = {},
): GroupMember {
  const member = new GroupMember({
    cluster: coordinator.cluster,
    clock: new FastClock(),
    logger: silentLogger,
    observer: {},
    groupId: "g",
    topics: ["in"],
    groupInstanceId: null,
    assignors: [rangeAssignor],
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    rebalanceTimeoutMs: 10_000,
    revokeTimeoutMs: 5_000,
    metadataMaxAgeMs: 300_000,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    hooks: hooks(log),
    onFatal: (error) => log.add(`fatal ${error.message}`),
    ...overrides,
  });
  members.push(member);
  return member;
}

function hooks(log: EventLog, overrides: Partial<RebalanceHooks> = {}): RebalanceHooks {
  return {
    onAssigned: (partitions, { generationId }) => {
      log.add(`assigned ${names(partitions)} in ${generationId}`);
      return Promise.resolve();
    },
    onRevoked: (partitions) => {
      log.add(`revoked ${names(partitions)}`);
      return Promise.resolve();
    },
    onLost: (partitions) => {
      log.add(`lost ${names(partitions)}`);
      return Promise.resolve();
    },
    ...overrides,
  };
}

function names(partitions: readonly TopicPartition[]): string {
  return partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(",");
}

function heartbeats(coordinator: FakeCoordinator, more: number): Promise<void> {
  const wanted = coordinator.count("Heartbeat") + more;
  return until(() => coordinator.count("Heartbeat") >= wanted);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("GroupMember", () => {
  test("joins with the member id it is given (KIP-394), assigns as the leader, and heartbeats.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    await heartbeats(coordinator, 3);
    expect(coordinator.requests.slice(0, 3)).toEqual(["JoinGroup", "JoinGroup", "SyncGroup"]);
    expect(member.generation).toEqual({ groupId: "g", generationId: 1, memberId: "member-1", groupInstanceId: null });
    expect(member.state).toBe("stable");
    expect(log.events).toEqual(["assigned in-0,in-1 in 1"]);
  });

  test("revokes before it rejoins when the group rebalances, and keeps its member id.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const seen: { revokedIn: GroupGeneration | null; joinsAtRevoke: number } = { revokedIn: null, joinsAtRevoke: 0 };
    const member = createMember(coordinator, log, {
      hooks: hooks(log, {
        onRevoked: async () => {
          seen.revokedIn = member.generation;
          await heartbeats(coordinator, 2);
          seen.joinsAtRevoke = coordinator.count("JoinGroup");
          log.add("revoked");
        },
      }),
    });
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    coordinator.tell("Heartbeat", REBALANCE_IN_PROGRESS, REBALANCE_IN_PROGRESS, REBALANCE_IN_PROGRESS);
    await log.until("assigned in-0,in-1 in 2");
    expect(log.events).toEqual(["assigned in-0,in-1 in 1", "revoked", "assigned in-0,in-1 in 2"]);
    // The old generation still counted, and heartbeats went on, while the owner finished its work; only then was JoinGroup sent.
    expect(seen).toEqual({
      revokedIn: { groupId: "g", generationId: 1, memberId: "member-1", groupInstanceId: null },
      joinsAtRevoke: 2,
    });
    expect(member.generation?.memberId).toBe("member-1");
  });

  test.each([
    ["UNKNOWN_MEMBER_ID", UNKNOWN_MEMBER_ID, "member-2"],
    ["ILLEGAL_GENERATION", ILLEGAL_GENERATION, "member-1"],
  ])("is lost after a heartbeat's %s, and joins again.", async (_name, code, memberId) => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    coordinator.tell("Heartbeat", code);
    await log.until("assigned in-0,in-1 in 2");
    expect(log.events).toEqual(["assigned in-0,in-1 in 1", "lost in-0,in-1", "assigned in-0,in-1 in 2"]);
    expect(member.generation?.memberId).toBe(memberId);
  });

  test("looks for the coordinator where it moved to, without giving anything up.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    coordinator.tell("JoinGroup", COORDINATOR_LOAD_IN_PROGRESS, new ConnectionError("moved"), NOT_COORDINATOR);
    coordinator.tell("SyncGroup", NOT_COORDINATOR);
    member.start();
    await log.until("assigned in-0,in-1 in 2");
    coordinator.tell("Heartbeat", NOT_COORDINATOR, new ConnectionError("moved"), COORDINATOR_LOAD_IN_PROGRESS);
    await heartbeats(coordinator, 6);
    expect(log.events).toEqual(["assigned in-0,in-1 in 2"]);
    expect(coordinator.forgotten.length).toBeGreaterThanOrEqual(6);
    expect(member.generation?.generationId).toBe(2);
  });

  test.each([
    ["is cut off", new ConnectionError("cut off")],
    ["does not answer", "never"],
    ["cannot be connected to", "hangs"],
  ] as const)(
    "is lost once the coordinator %s for the session timeout, and waits no longer.",
    async (_name, answer) => {
      const coordinator = new FakeCoordinator();
      const log = new EventLog();
      const clock = new FastClock();
      const member = createMember(coordinator, log, { clock });
      member.start();
      await log.until("assigned in-0,in-1 in 1");
      await heartbeats(coordinator, 1);
      const before = clock.monotonicMs();
      coordinator.tell("Heartbeat", ...Array.from({ length: 20 }, () => answer));
      await log.until("lost in-0,in-1");
      const waitedMs = clock.monotonicMs() - before;
      expect(waitedMs).toBeGreaterThanOrEqual(SESSION_TIMEOUT_MS - HEARTBEAT_INTERVAL_MS);
      expect(waitedMs).toBeLessThanOrEqual(SESSION_TIMEOUT_MS + 3 * HEARTBEAT_INTERVAL_MS);
      await log.until("assigned in-0,in-1 in 2");
    },
  );

  test("gives a connection up on which no answer comes, and stays in its generation when the coordinator is found.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    await heartbeats(coordinator, 1);
    coordinator.tell("Heartbeat", "never");
    await until(() => coordinator.suspected === 1);
    await heartbeats(coordinator, 3);
    expect(log.events).toEqual(["assigned in-0,in-1 in 1"]);
    expect(coordinator.suspected).toBe(1);
  });

  test("heartbeats while the assignment is being taken up; when that is over meanwhile, the signal says so.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    let first = true;
    const member = createMember(coordinator, log, {
      hooks: hooks(log, {
        onAssigned: async (_partitions, { generationId }, signal) => {
          if (!first) {
            log.add(`assigned in ${generationId}`);
            return;
          }
          first = false;
          await heartbeats(coordinator, 3);
          coordinator.expel();
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          log.add("interrupted");
        },
      }),
    });
    member.start();
    await log.until("assigned in 2");
    expect(log.events).toEqual(["interrupted", "lost in-0,in-1", "assigned in 2"]);
  });

  test("gives the partitions up when the owner does not come back from the revocation in time.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log, {
      revokeTimeoutMs: 20,
      hooks: hooks(log, { onRevoked: () => new Promise(() => {}) }),
    });
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    coordinator.tell("Heartbeat", REBALANCE_IN_PROGRESS);
    await log.until("lost in-0,in-1");
    await log.until("assigned in-0,in-1 in 2");
  });

  test("gives its assignment up and joins again when its owner asks for it.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    member.requestRejoin("lost");
    await log.until("assigned in-0,in-1 in 2");
    expect(log.events).toContain("lost in-0,in-1");
  });

  test("revokes before it joins again when its owner wants the group assigned anew.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    member.requestRejoin("rebalance");
    await log.until("assigned in-0,in-1 in 2");
    expect(log.events).toEqual(["assigned in-0,in-1 in 1", "revoked in-0,in-1", "assigned in-0,in-1 in 2"]);
  });

  test("tells the revocation when it may commit no longer: its time is up, or the generation is over.", async () => {
    for (const answers of [[REBALANCE_IN_PROGRESS], [REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION]]) {
      const coordinator = new FakeCoordinator();
      const log = new EventLog();
      const member = createMember(coordinator, log, {
        revokeTimeoutMs: answers.length === 1 ? 20 : 60_000,
        hooks: hooks(log, {
          onRevoked: async (_partitions, signal) => {
            if (log.events.includes("told")) return;
            await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
            log.add("told");
          },
        }),
      });
      member.start();
      await log.until("assigned in-0,in-1 in 1");
      coordinator.tell("Heartbeat", ...answers);
      await log.until("told");
      await log.until("assigned in-0,in-1 in 2");
    }
  });

  test.each(["stable", "revoking"])("fails when its instance id is fenced while it is %s, and stops.", async (when) => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const fatal: Error[] = [];
    const member = createMember(coordinator, log, {
      groupInstanceId: "one",
      onFatal: (error) => {
        fatal.push(error);
        log.add("fatal");
      },
      hooks: hooks(log, {
        onRevoked: (_partitions, signal) =>
          new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
      }),
    });
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    if (when === "revoking") coordinator.tell("Heartbeat", REBALANCE_IN_PROGRESS);
    coordinator.tell("Heartbeat", FENCED_INSTANCE_ID);
    await log.until("fatal");
    expect(fatal[0]).toBeInstanceOf(FencedInstanceIdError);
    expect(member.state).toBe("failed");
    expect(log.events).toEqual(["assigned in-0,in-1 in 1", ...(when === "stable" ? ["lost in-0,in-1"] : []), "fatal"]);
    const requests = coordinator.requests.length;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(coordinator.requests).toHaveLength(requests);
  });

  test.each(["JoinGroup", "SyncGroup"])("fails when %s says that its instance id is fenced.", async (api) => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const fatal: Error[] = [];
    const member = createMember(coordinator, log, {
      groupInstanceId: "one",
      onFatal: (error) => {
        fatal.push(error);
        log.add("fatal");
      },
    });
    coordinator.tell(api, FENCED_INSTANCE_ID);
    member.start();
    await log.until("fatal");
    expect(fatal[0]).toMatchObject({ code: "EOS_FENCED_INSTANCE_ID" });
    expect(log.events).toEqual(["fatal"]);
    expect(member.state).toBe("failed");
  });

  test("says who it is in every request when it is static, and stays in the group when it is told to.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log, { groupInstanceId: "one" });
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    expect(coordinator.instanceId).toBe("one");
    expect(member.generation).toEqual({ groupId: "g", generationId: 1, memberId: "member-1", groupInstanceId: "one" });
    // Static members are named when they are counted in.
    expect(coordinator.count("JoinGroup")).toBe(1);
    await member.close(false);
    expect(log.events).toEqual(["assigned in-0,in-1 in 1", "revoked in-0,in-1"]);
    expect(coordinator.count("LeaveGroup")).toBe(0);
  });

  test("offers all its assignors with their own user data, and assigns with the one that the group agrees on.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const seen: unknown[] = [];
    const second: Assignor = {
      name: "second",
      userData: (owned, generationId) => Buffer.from(`${names(owned)} in ${generationId}`),
      assign(members, partitionCounts) {
        seen.push(members, [...partitionCounts]);
        return new Map([[members[0]?.memberId ?? "", new Map([["in", [1]]])]]);
      },
    };
    coordinator.protocolName = "second";
    const member = createMember(coordinator, log, { assignors: [rangeAssignor, second], processId: "p" });
    member.start();
    await log.until("assigned in-1 in 1");
    expect([...coordinator.subscribed.keys()]).toEqual(["range", "second"]);
    expect(coordinator.subscribed.get("range")?.userData?.toString()).toContain('"processId":"p"');
    expect(coordinator.subscribed.get("second")?.userData?.toString()).toBe(" in -1");
    member.requestRejoin("lost");
    await log.until("assigned in-1 in 2");
    expect(coordinator.subscribed.get("second")).toEqual({
      topics: ["in"],
      userData: Buffer.from("in-1 in 1"),
      ownedPartitions: [{ topic: "in", partition: 1 }],
      generationId: 1,
    });
    expect(seen[0]).toMatchObject([{ memberId: "member-1", groupInstanceId: null, topics: ["in"], generationId: -1 }]);
    expect(seen[1]).toEqual([["in", 2]]);
    expect(seen[2]).toMatchObject([{ ownedPartitions: [{ topic: "in", partition: 1 }], generationId: 1 }]);
  });

  test("joins again, having revoked, when partitions were added, a topic was deleted, and when that is back.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const warned: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: unknown) => void warned.push(fields) };
    const member = createMember(coordinator, log, { logger, metadataMaxAgeMs: 500 });
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    coordinator.topics.set("in", 3);
    await log.until("assigned in-0,in-1,in-2 in 2");
    coordinator.topics.delete("in");
    await log.until("assigned  in 3");
    expect(warned).toMatchObject([{ topic: "in" }]);
    expect(member.state).toBe("stable");
    coordinator.topics.set("in", 1);
    await log.until("assigned in-0 in 4");
    expect(log.events.filter((event) => event.startsWith("revoked"))).toEqual([
      "revoked in-0,in-1",
      "revoked in-0,in-1,in-2",
      "revoked ",
    ]);
    expect(log.events.filter((event) => event.startsWith("lost"))).toEqual([]);
    expect(warned).toHaveLength(1);
  });

  test("leaves watching the partitions to the leader, but keeps what it knows of them fresh.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    coordinator.leads = false;
    const member = createMember(coordinator, log, { metadataMaxAgeMs: 200 });
    member.start();
    await log.until("assigned  in 1");
    coordinator.topics.set("in", 3);
    await until(() => coordinator.refreshes >= 3);
    expect(log.events).toEqual(["assigned  in 1"]);
  });

  test("watches the partitions as a static member too: a leader that restarted is not told that it leads.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    coordinator.leads = false;
    const member = createMember(coordinator, log, { metadataMaxAgeMs: 200, groupInstanceId: "one" });
    member.start();
    await log.until("assigned  in 1");
    coordinator.topics.set("in", 3);
    await log.until("assigned  in 2");
  });

  test("subscribes to what its RegExp matches, and to what it matches later.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    coordinator.leads = false;
    const warned: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: unknown) => void warned.push(fields) };
    // With the flag g a RegExp has a memory.
    const member = createMember(coordinator, log, { logger, metadataMaxAgeMs: 200, topics: /^orders-/g });
    member.start();
    await log.until("assigned  in 1");
    expect(coordinator.subscribed.get("range")?.topics).toEqual([]);
    coordinator.topics.set("orders-b", 1).set("orders-a", 1).set("back-orders-", 1);
    await log.until("assigned  in 2");
    expect(coordinator.subscribed.get("range")?.topics).toEqual(["orders-a", "orders-b"]);
    coordinator.topics.delete("orders-b");
    await log.until("assigned  in 3");
    expect(coordinator.subscribed.get("range")?.topics).toEqual(["orders-a"]);
    expect(warned).toEqual([{ topics: ["orders-b"] }]);
  });

  test("confirms its membership by the coordinator's word alone.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log, { heartbeatIntervalMs: 1 });
    expect(await member.confirmMembership()).toBe(false);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    expect(await member.confirmMembership()).toBe(true);
    coordinator.expel();
    expect(await member.confirmMembership()).toBe(false);
  });

  test("takes no cluster that is out of reach for the end of it, but a refusal.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    coordinator.tell("JoinGroup", new ConnectionError("down"), new ConnectionError("down"), GROUP_AUTHORIZATION_FAILED);
    member.start();
    await log.until("fatal JoinGroup of group g failed with GROUP_AUTHORIZATION_FAILED (30)");
    expect(member.state).toBe("failed");
    expect(coordinator.count("JoinGroup")).toBe(3);
  });

  test("fails when its owner cannot take the assignment up, and tells it to let go.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log, {
      hooks: hooks(log, { onAssigned: () => Promise.reject(new TypeError("no store")) }),
    });
    member.start();
    await log.until("fatal no store");
    expect(log.events).toEqual(["lost in-0,in-1", "fatal no store"]);
  });

  test("revokes and leaves when it is closed.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    await member.close(true);
    expect(log.events).toEqual(["assigned in-0,in-1 in 1", "revoked in-0,in-1"]);
    expect(coordinator.requests.at(-1)).toBe("LeaveGroup");
    expect(member.state).toBe("left");
    expect(member.generation).toBeNull();
  });

  test.each([
    ["onAssigned", { onAssigned: () => new Promise<never>(() => {}) }],
    ["onRevoked", { onRevoked: () => new Promise<never>(() => {}), onLost: () => new Promise<never>(() => {}) }],
  ] as const)("closes in time though %s never returns and nobody answers LeaveGroup.", async (_name, stuck) => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log, { revokeTimeoutMs: 20, hooks: hooks(log, stuck) });
    coordinator.tell("LeaveGroup", "never");
    member.start();
    await until(() => member.generation !== null);
    const startedMs = performance.now();
    await member.close(true);
    expect(performance.now() - startedMs).toBeLessThan(20 + 2_500);
    expect(member.state).toBe("left");
    const beats = coordinator.count("Heartbeat");
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(coordinator.count("Heartbeat")).toBe(beats);
  });

  test("leaves past a JoinGroup that waits for the others, so that they need not wait for its session.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    coordinator.tell("JoinGroup", "never");
    member.requestRejoin("rebalance");
    await until(() => coordinator.count("JoinGroup") === 3);
    await member.close(true);
    expect(coordinator.lanes).toEqual(["leave"]);
    expect(member.state).toBe("left");
  });

  test("takes up no assignment that comes after it was closed, and leaves the group.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await until(() => coordinator.count("SyncGroup") === 1);
    await member.close(true);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(log.events).toEqual([]);
    expect(coordinator.memberId).toBe("");
    expect(coordinator.count("Heartbeat")).toBe(0);
  });

  test("gives up when its connections are closed under it.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    member.abandon(new ClientClosedError());
    await log.until("lost in-0,in-1");
    const requests = coordinator.requests.length;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(coordinator.requests).toHaveLength(requests);
    expect(log.events).toEqual(["assigned in-0,in-1 in 1", "lost in-0,in-1"]);
  });

  test("closes while its JoinGroup waits for the others, and when it was never started.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const waiting = createMember(coordinator, log);
    coordinator.tell("JoinGroup", "never");
    waiting.start();
    await until(() => coordinator.count("JoinGroup") === 1);
    await waiting.close(true);
    await createMember(coordinator, log).close(true);
    expect(log.events).toEqual([]);
    expect(coordinator.count("LeaveGroup")).toBe(0);
  });

  test("ends quietly when its cluster is closed under it.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    coordinator.tell("JoinGroup", new ConnectionError("down"), new ClientClosedError());
    member.start();
    await until(() => coordinator.count("JoinGroup") === 1);
    await member.close(true);
    expect(log.events).toEqual([]);
  });
});

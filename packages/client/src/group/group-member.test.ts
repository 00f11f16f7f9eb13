import { silentLogger, type TopicPartition } from "@eos/core";
import { afterEach, describe, expect, test } from "vitest";
import { ClientClosedError, ConnectionError } from "../errors/errors.ts";
import { FastClock } from "../fast-clock-fixture.ts";
import type { Cluster } from "../network/cluster.ts";
import { ByteReader } from "../protocol/byte-reader.ts";
import type { KafkaRequest } from "../protocol/request.ts";
import { encodeAssignment } from "./consumer-protocol.ts";
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

type Answer = number | Error | "never";

/** A coordinator with one group of one member, which does as it is told first and by the protocol otherwise. */
class FakeCoordinator {
  readonly requests: string[] = [];
  readonly forgotten: string[] = [];
  generationId = 0;
  memberId = "";
  #memberCount = 0;
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
      topic: (name: string) => Promise.resolve({ name, partitions: [{ partition: 0 }, { partition: 1 }] }),
      send: (_node: number, request: KafkaRequest) => this.#receive(request),
    };
    return cluster as unknown as Cluster;
  }

  async #receive(request: KafkaRequest): Promise<unknown> {
    const { apiName } = request;
    this.requests.push(apiName);
    await new Promise((resolve) => setImmediate(resolve));
    const told = this.#told.get(apiName)?.shift();
    if (told === "never") return await new Promise(() => {});
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

  #join(reader: ByteReader, told: number | undefined): object {
    reader.int32();
    reader.int32();
    const memberId = reader.compactString();
    reader.compactNullableString();
    reader.compactString();
    const refused = { generationId: -1, leader: "", members: [] };
    if (told !== undefined) return { ...refused, errorCode: told, memberId };
    if (memberId === "")
      return { ...refused, errorCode: MEMBER_ID_REQUIRED, memberId: `member-${++this.#memberCount}` };
    const [protocol] = reader.compactArray((r) => {
      r.compactString();
      const metadata = r.compactBytes() ?? Buffer.alloc(0);
      r.skipTags();
      return { metadata };
    });
    this.memberId = memberId;
    this.generationId++;
    const members = [{ memberId, groupInstanceId: null, metadata: protocol?.metadata ?? Buffer.alloc(0) }];
    return { errorCode: 0, generationId: this.generationId, leader: memberId, memberId, members };
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
  await Promise.all(members.splice(0).map((member) => member.close()));
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
    assignor: rangeAssignor,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    rebalanceTimeoutMs: 10_000,
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

  test("is lost once no heartbeat was accepted for the session timeout.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const member = createMember(coordinator, log);
    member.start();
    await log.until("assigned in-0,in-1 in 1");
    await heartbeats(coordinator, 1);
    const before = coordinator.count("Heartbeat");
    coordinator.tell("Heartbeat", ...Array.from({ length: 20 }, () => new ConnectionError("cut off")));
    await log.until("lost in-0,in-1");
    const unanswered = coordinator.count("Heartbeat") - before;
    expect(unanswered).toBeGreaterThanOrEqual(SESSION_TIMEOUT_MS / HEARTBEAT_INTERVAL_MS);
    expect(unanswered).toBeLessThanOrEqual(SESSION_TIMEOUT_MS / HEARTBEAT_INTERVAL_MS + 3);
    await log.until("assigned in-0,in-1 in 2");
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
      rebalanceTimeoutMs: 40,
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
    member.requestRejoin();
    await log.until("assigned in-0,in-1 in 2");
    expect(log.events).toContain("lost in-0,in-1");
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
    await member.close();
    expect(log.events).toEqual(["assigned in-0,in-1 in 1", "revoked in-0,in-1"]);
    expect(coordinator.requests.at(-1)).toBe("LeaveGroup");
    expect(member.state).toBe("left");
    expect(member.generation).toBeNull();
  });

  test("closes while its JoinGroup waits for the others, and when it was never started.", async () => {
    const coordinator = new FakeCoordinator();
    const log = new EventLog();
    const waiting = createMember(coordinator, log);
    coordinator.tell("JoinGroup", "never");
    waiting.start();
    await until(() => coordinator.count("JoinGroup") === 1);
    await waiting.close();
    await createMember(coordinator, log).close();
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
    await member.close();
    expect(log.events).toEqual([]);
  });
});

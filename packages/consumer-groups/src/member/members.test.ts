import { ConnectionError } from "@eos/client";
import type { Clock } from "@eos/core";
import { describe, expect, it } from "vitest";
import { HandlerError, MaxPollIntervalExceededError } from "../errors.ts";
import { quiet, SILENT } from "../work/work-fixture.ts";
import type { CloseOptions } from "./consumer-member.ts";
import { type AnyMember, Members } from "./members.ts";

const STUCK = new MaxPollIntervalExceededError({ topic: "in", partition: 0, offset: 1 }, 10);
const HOPELESS = new HandlerError({ topic: "in", partition: 0, offset: 1 }, "broken");

class FakeMember {
  readonly index: number;
  readonly closed: CloseOptions[] = [];
  start: () => Promise<void> = () => Promise.resolve();
  closing: Promise<void> = Promise.resolve();

  constructor(index: number) {
    this.index = index;
  }

  close(options: CloseOptions): Promise<void> {
    this.closed.push(options);
    return this.closing;
  }
}

/** A clock that notes how long somebody sleeps, and lets them sleep until they are woken. */
class SleepyClock implements Clock {
  ms = 0;
  readonly sleeps: { readonly ms: number; wake(): void }[] = [];

  now(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.sleeps.push({ ms, wake: resolve });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  async wakeAll(): Promise<void> {
    for (const { wake } of this.sleeps.splice(0)) wake();
    await quiet(1);
  }
}

function setUp(onMemberFailure: "replace" | "stop" = "replace") {
  const created: FakeMember[] = [];
  const failures: [string, boolean][] = [];
  const fatal: Error[] = [];
  const clock = new SleepyClock();
  let onCreate = (_member: FakeMember): void => {};
  const members = new Members({
    create: (index) => {
      const member = new FakeMember(index);
      onCreate(member);
      created.push(member);
      return member as unknown as AnyMember;
    },
    clock,
    logger: SILENT,
    groupId: "g",
    closeTimeoutMs: 8_000,
    onMemberFailure,
    onFailed: (error, willBeReplaced) => failures.push([(error as { code?: string }).code ?? "", willBeReplaced]),
    onFatal: (error) => fatal.push(error),
  });
  const fail = (member: FakeMember | undefined, error: Error): void =>
    members.failed(member as unknown as AnyMember, error);
  const indices = (): number[] => members.all.map((member) => (member as unknown as FakeMember).index);
  return {
    members,
    created,
    failures,
    fatal,
    clock,
    fail,
    indices,
    whenCreated: (does: typeof onCreate) => (onCreate = does),
  };
}

const DRAINED = { timeoutMs: 8_000, drain: true, leaveGroup: true };

describe("Members", () => {
  it("adds members, and closes those that came last", async () => {
    const { members, created, indices } = setUp();
    await members.scale(3);
    expect(indices()).toEqual([0, 1, 2]);
    await members.scale(1);
    expect(indices()).toEqual([0]);
    expect(created.map(({ closed }) => closed)).toEqual([[], [DRAINED], [DRAINED]]);
    await members.scale(2);
    expect(created.map(({ index }) => index)).toEqual([0, 1, 2, 1]);
    expect(members.size).toBe(2);
  });

  it("changes the number once at a time, in the order of asking", async () => {
    const { members, indices, created } = setUp();
    await Promise.all([members.scale(3), members.scale(0), members.scale(2)]);
    expect(indices()).toEqual([0, 1]);
    expect(created).toHaveLength(5);
  });

  it("adds none when one cannot start, so that the same may be asked for again", async () => {
    const { members, created, indices, whenCreated } = setUp();
    await members.scale(1);
    whenCreated((member) => {
      if (member.index === 2) member.start = () => Promise.reject(new ConnectionError("no broker"));
    });
    await expect(members.scale(3)).rejects.toThrow("no broker");
    expect(indices()).toEqual([0]);
    expect(created.map(({ closed }) => closed.length)).toEqual([0, 1, 1]);
    whenCreated(() => {});
    await members.scale(3);
    expect(indices()).toEqual([0, 1, 2]);
  });

  it("closes a member that failed, and puts another in its place after a backoff", async () => {
    const { members, created, failures, fatal, clock, fail, indices } = setUp();
    await members.scale(2);
    fail(created[0], STUCK);
    fail(created[0], STUCK);
    await quiet(1);
    expect(failures).toEqual([["EOS_MAX_POLL_INTERVAL", true]]);
    expect(created[0]?.closed).toEqual([DRAINED]);
    expect(indices()).toEqual([1]);
    expect(members.size).toBe(2);
    expect(clock.sleeps.map(({ ms }) => ms)).toEqual([1_000]);
    await clock.wakeAll();
    expect(indices()).toEqual([0, 1]);
    expect(created).toHaveLength(3);
    expect(fatal).toEqual([]);
  });

  it("waits longer for each replacement that fails soon, and begins anew with one that was well", async () => {
    const { members, created, clock, fail } = setUp();
    await members.scale(1);
    const waits: number[] = [];
    for (let round = 0; round < 7; round++) {
      fail(created.at(-1), STUCK);
      await quiet(1);
      waits.push(...clock.sleeps.map(({ ms }) => ms));
      await clock.wakeAll();
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    clock.ms += 60_001;
    fail(created.at(-1), STUCK);
    await quiet(1);
    expect(clock.sleeps.map(({ ms }) => ms)).toEqual([1_000]);
  });

  it("tries again when a replacement cannot start, and stops the group when it never will", async () => {
    const { members, created, clock, fatal, fail, indices, whenCreated } = setUp();
    await members.scale(1);
    whenCreated((member) => (member.start = () => Promise.reject(new ConnectionError("no broker"))));
    fail(created[0], STUCK);
    await quiet(1);
    await clock.wakeAll();
    expect(created[1]?.closed).toEqual([{ timeoutMs: 0, drain: false, leaveGroup: false }]);
    expect(clock.sleeps.map(({ ms }) => ms)).toEqual([2_000]);
    whenCreated((member) => (member.start = () => Promise.reject(HOPELESS)));
    await clock.wakeAll();
    expect(fatal).toEqual([HOPELESS]);
    expect(indices()).toEqual([0]);
  });

  it("stops the group when a new member would meet the same error, or none is wanted", async () => {
    for (const [mode, error] of [
      ["replace", HOPELESS],
      ["stop", STUCK],
    ] as const) {
      const { members, created, failures, fatal, fail } = setUp(mode);
      await members.scale(1);
      fail(created[0], error);
      await quiet(1);
      expect(failures).toEqual([[error.code, false]]);
      expect(fatal).toEqual([error]);
      expect(created).toHaveLength(1);
    }
  });

  it("replaces nobody whose place is gone or taken when the backoff is over", async () => {
    const { members, created, clock, fail, indices } = setUp();
    await members.scale(2);
    fail(created[1], STUCK);
    await quiet(1);
    await members.scale(1);
    await clock.wakeAll();
    expect(indices()).toEqual([0]);
    await members.scale(2);
    fail(created[2], STUCK);
    await quiet(1);
    await members.scale(1);
    await members.scale(2);
    await clock.wakeAll();
    expect(indices()).toEqual([0, 1]);
    expect(created).toHaveLength(4);
  });

  it.each([new ConnectionError("closed"), HOPELESS])(
    "forgets a replacement that was scaled away while it started: %s",
    async (error) => {
      const { members, created, clock, fatal, fail, indices, whenCreated } = setUp();
      await members.scale(2);
      let failStart = (_error: Error): void => {};
      whenCreated((member) => (member.start = () => new Promise((_, reject) => (failStart = reject))));
      fail(created[1], STUCK);
      await quiet(1);
      await clock.wakeAll();
      expect(indices()).toEqual([0, 1]);
      await members.scale(1);
      failStart(error);
      await quiet(2);
      await clock.wakeAll();
      expect(fatal).toEqual([]);
      expect(indices()).toEqual([0]);
      expect(members.size).toBe(1);
      expect(created).toHaveLength(3);
    },
  );

  it("closes all of them, waits for those that were leaving already, and replaces nobody any more", async () => {
    const { members, created, clock, fail } = setUp();
    await members.scale(2);
    let left = (): void => {};
    (created[0] as FakeMember).closing = new Promise((resolve) => (left = resolve));
    fail(created[0], STUCK);
    await quiet(1);
    let isClosed = false;
    const closed = members.close({ timeoutMs: 500, drain: false, leaveGroup: undefined }).then(() => (isClosed = true));
    fail(created[1], STUCK);
    await quiet(1);
    expect(created[1]?.closed).toEqual([{ timeoutMs: 500, drain: false, leaveGroup: undefined }]);
    expect(isClosed).toBe(false);
    left();
    await closed;
    await quiet(1);
    expect(created).toHaveLength(2);
    await members.scale(3);
    expect(created).toHaveLength(2);
    expect(clock.sleeps.every(({ ms }) => ms <= 1_000)).toBe(true);
  });

  it("does not wait longer for those that are leaving than closing may take", async () => {
    const { members, created, clock, fail } = setUp();
    await members.scale(1);
    (created[0] as FakeMember).closing = new Promise(() => {});
    fail(created[0], STUCK);
    await quiet(1);
    const closed = members.close({ timeoutMs: 500, drain: true, leaveGroup: undefined });
    expect(clock.sleeps.map(({ ms }) => ms)).toEqual([500]);
    await clock.wakeAll();
    await closed;
  });
});

import {
  BrokerError,
  type Client,
  type GroupConsumerOptions,
  type GroupGeneration,
  OffsetOutOfRangeError,
  PartitionQueue,
} from "@eos/client";
import { systemClock, type TopicPartition } from "@eos/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RecordHandler } from "../handler.ts";
import type { ConsumerGroupOptions } from "../options.ts";
import { resolveGroupOptions } from "../resolved-options.ts";
import type { Delivery, UnknownRecord } from "../work/delivery.ts";
import { type FixtureBatch, fetchedBatch, quiet, SILENT } from "../work/work-fixture.ts";
import { recordByRecord } from "../work/work-kind.ts";
import { ConsumerMember } from "./consumer-member.ts";
import { GroupMetrics } from "./group-metrics.ts";

const A = { topic: "in", partition: 0 };
const B = { topic: "in", partition: 1 };
const generationOf = (generationId: number, memberId = "m"): GroupGeneration => ({
  groupId: "g",
  generationId,
  memberId,
  groupInstanceId: null,
});
const never = new AbortController().signal;

/** The client as a member uses it: the test plays the group's coordinator and the fetcher. */
class FakeClient {
  readonly queues: PartitionQueue[] = [];
  readonly commits: string[] = [];
  readonly rejoins: string[] = [];
  commit: () => Promise<void> = () => Promise.resolve();
  /** What ends the member's `close`. */
  revokeOnClose: () => Promise<void> = () => Promise.resolve();
  latest: () => Promise<number> = () => Promise.resolve(100);
  options: GroupConsumerOptions | null = null;
  isDisconnected = false;

  readonly admin = {
    committedOffsets: async (_group: string, partitions: readonly TopicPartition[]) =>
      partitions.map(({ topic, partition }) => ({ topic, partition, offset: 0, metadata: null, errorCode: 0 })),
    listOffsets: async ([queue]: readonly TopicPartition[]) => [
      { topic: "in", partition: queue?.partition ?? 0, offset: await this.latest(), timestamp: -1 },
    ],
  };

  async commitOffsets({ generation, offsets }: Parameters<Client["commitOffsets"]>[0]): Promise<void> {
    const partitions = offsets.toTopics().flatMap((topic) => topic.partitions);
    this.commits.push(
      `${generation.generationId}:${partitions.map((each) => `${each.partition}@${each.offset}`).join()}`,
    );
    await this.commit();
  }

  groupConsumer(options: GroupConsumerOptions): unknown {
    this.options = options;
    return {
      generation: null,
      start: () => Promise.resolve(),
      sinceLastHeartbeatMs: () => 0,
      fetchAgain: (queue: PartitionQueue, position: number) => {
        queue.closed = false;
        queue.position = position;
      },
      fetch: ({ topic, partition }: TopicPartition, position: number, generation: GroupGeneration) => {
        const queue = new PartitionQueue(topic, partition, position, generation);
        this.queues.push(queue);
        return queue;
      },
      stopFetching: (queue: PartitionQueue) => (queue.closed = true),
      wake: () => {},
      requestRejoin: (reason = "lost") => this.rejoins.push(reason),
      close: () => this.revokeOnClose(),
      disconnect: async () => void (this.isDisconnected = true),
    };
  }
}

function setUp(handler: RecordHandler<unknown, unknown>, given: Partial<ConsumerGroupOptions<unknown, unknown>> = {}) {
  const client = new FakeClient();
  const failures: Error[] = [];
  const fatal: Error[] = [];
  const running: boolean[] = [];
  const options = { brokers: ["localhost:1"], groupId: "g", topics: "in", revokeTimeoutMs: 2_000, ...given };
  const group = resolveGroupOptions(options as unknown as ConsumerGroupOptions);
  const member = new ConsumerMember<UnknownRecord>({
    client: client as unknown as Client,
    clock: systemClock,
    logger: SILENT,
    observer: {},
    metrics: new GroupMetrics(),
    group,
    kind: recordByRecord(handler, { ordering: group.ordering, commitsEachRecord: group.commit === "record" }),
    groupInstanceId: null,
    isPaused: () => false,
    onRunning: (isRunning) => running.push(isRunning),
    onFailure: (error) => failures.push(error),
    onFatal: (error) => fatal.push(error),
  });
  const { hooks, onFetched, onFetchError } = client.options as GroupConsumerOptions;
  const assign = (partitions: readonly TopicPartition[], generation: GroupGeneration, signal = never) =>
    hooks.onAssigned(partitions, generation, signal, null);
  const revoke = (partitions: readonly TopicPartition[], signal = never) => hooks.onRevoked(partitions, signal);
  const lose = (partitions: readonly TopicPartition[]) => hooks.onLost(partitions, new Error("expelled"));
  const queueOf = ({ partition }: TopicPartition) => client.queues.findLast((queue) => queue.partition === partition);
  const fetched = (partition: TopicPartition, batch: FixtureBatch): void => {
    const queue = queueOf(partition) as PartitionQueue;
    queue.push(fetchedBatch({ ...batch, ...partition }));
    onFetched(queue);
  };
  return { client, member, failures, fatal, running, assign, revoke, lose, fetched, queueOf, onFetchError };
}

const keys = (count: number): null[] => Array.from({ length: count }, () => null);

/** A handler whose promises the test settles, in the order of the calls. */
function byHand() {
  const calls: { readonly name: string; readonly signal: AbortSignal; resolve(): void }[] = [];
  const handler: RecordHandler<unknown, unknown> = ({ partition, offset }, { signal }) =>
    new Promise<void>((resolve) => calls.push({ name: `${partition}@${offset}`, signal, resolve }));
  return { handler, calls, names: () => calls.map(({ name }) => name) };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("ConsumerMember", () => {
  it("keeps what is queued and in hand when the next generation gives a partition back, and commits in that one", async () => {
    const { handler, calls, names } = byHand();
    const { client, assign, revoke, fetched, queueOf } = setUp(handler);
    await assign([A, B], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(2) });
    fetched(B, { baseOffset: 0, keys: keys(2) });
    await quiet();
    const revoked = revoke([A, B]);
    await vi.advanceTimersByTimeAsync(2_000);
    await revoked;
    const next = generationOf(2);
    await assign([A], next);
    expect(queueOf(A)?.generation).toBe(next);
    expect(client.queues.map(({ closed }) => closed)).toEqual([false, true]);
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([false, true]);
    calls[0]?.resolve();
    await quiet();
    expect(names()).toEqual(["0@0", "1@0", "0@1"]);
    calls[2]?.resolve();
    await quiet();
    expect(client.commits).toEqual(["2:0@2"]);
  });

  it.each([
    ["another member", generationOf(2, "n")],
    ["a generation that is not the next", generationOf(3)],
  ])("begins anew when it comes back as %s", async (_, next) => {
    const { handler, calls } = byHand();
    const { client, assign, revoke, fetched } = setUp(handler);
    await assign([A], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(1) });
    await quiet();
    const revoked = revoke([A]);
    await vi.advanceTimersByTimeAsync(2_000);
    await revoked;
    await assign([A], next);
    expect(client.queues.map(({ closed }) => closed)).toEqual([true, false]);
    expect(calls[0]?.signal.aborted).toBe(true);
  });

  it("waits for handlers and commits before it gives a partition up, and begins no record meanwhile", async () => {
    const { handler, calls, names } = byHand();
    const order: string[] = [];
    const { client, assign, revoke, fetched } = setUp(handler, { onRevoked: () => void order.push("onRevoked") });
    client.commit = async () => void order.push("commit");
    await assign([A], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(2) });
    await quiet();
    const revoked = revoke([A]);
    await quiet();
    expect(order).toEqual([]);
    calls[0]?.resolve();
    await revoked;
    expect(order).toEqual(["commit", "onRevoked"]);
    expect(client.commits).toEqual(["1:0@1"]);
    expect(names()).toEqual(["0@0"]);
    expect(vi.getTimerCount()).toBe(1);
  });

  it("commits what others have completed also when one handler takes all the time there is", async () => {
    const { handler, calls } = byHand();
    const { client, assign, revoke, fetched } = setUp(handler, { commit: { intervalMs: 60_000 } });
    await assign([A, B], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(1) });
    fetched(B, { baseOffset: 0, keys: keys(1) });
    await quiet();
    calls[1]?.resolve();
    await quiet();
    const revoked = revoke([A, B]);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(client.commits).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await revoked;
    expect(client.commits).toEqual(["1:1@1"]);
  });

  it("does not wait for handlers any longer, nor commit, when the group has gone on without it", async () => {
    const { handler } = byHand();
    const { client, assign, revoke, fetched } = setUp(handler);
    await assign([A], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(1) });
    await quiet();
    const lost = new AbortController();
    const revoked = revoke([A], lost.signal);
    await quiet();
    lost.abort(new Error("expelled"));
    await revoked;
    expect(client.commits).toEqual([]);
  });

  it("tells onLost only, when giving up took too long", async () => {
    const told: string[] = [];
    const { handler } = byHand();
    const { assign, revoke, lose, fetched } = setUp(handler, {
      onRevoked: () => void told.push("onRevoked"),
      onLost: () => void told.push("onLost"),
    });
    await assign([A], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(1) });
    await quiet();
    const revoked = revoke([A]);
    await lose([A]);
    await revoked;
    expect(told).toEqual(["onLost"]);
  });

  it("ignores a refusal that comes when it has long joined again, and joins again after one of its generation", async () => {
    let refuse = (_error: Error): void => {};
    const stale = new BrokerError({ api: "OffsetCommit", kafkaCode: 22, groupId: "g" });
    const { client, assign, revoke, fetched } = setUp(() => {});
    client.commit = () => new Promise((_, reject) => (refuse = reject));
    await assign([A], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(1) });
    await quiet();
    const revoked = revoke([A]);
    await vi.advanceTimersByTimeAsync(5_000);
    await Promise.race([revoked, quiet()]);
    await assign([A], generationOf(2));
    refuse(stale);
    await quiet();
    expect(client.rejoins).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    await quiet();
    expect(client.commits).toEqual(["1:0@1", "2:0@1"]);
    refuse(stale);
    await quiet();
    expect(client.rejoins).toEqual(["lost"]);
  });

  it("fails with the record that a handler is stuck at, whose slot nobody of it gets any more", async () => {
    const nowMs = vi.spyOn(performance, "now").mockReturnValue(0);
    const { handler, calls, names } = byHand();
    const { member, failures, assign, fetched } = setUp(handler, { maxPollIntervalMs: 500, concurrency: 1 });
    await member.start();
    await assign([A, B], generationOf(1));
    fetched(A, { baseOffset: 3, keys: keys(1) });
    fetched(B, { baseOffset: 0, keys: keys(1) });
    await quiet();
    vi.advanceTimersByTime(500);
    expect(failures).toEqual([]);
    nowMs.mockReturnValue(501);
    // The scheduler is in the middle of a slice: what is resumed goes on at once.
    fetched(B, { baseOffset: 1, keys: keys(1) });
    await quiet();
    const closing: Promise<void>[] = [];
    failures.push = (error: Error): number => {
      closing.push(member.close({ timeoutMs: 100, drain: true, leaveGroup: true }));
      failures[0] = error;
      return 1;
    };
    vi.advanceTimersByTime(500);
    await quiet();
    expect(failures[0]).toMatchObject({
      code: "EOS_MAX_POLL_INTERVAL",
      record: { topic: "in", partition: 0, offset: 3 },
    });
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(names()).toEqual(["0@3"]);
    await Promise.all(closing);
    nowMs.mockRestore();
  });

  it("takes no record for stuck that waits for somebody to come for it, but one that they have for too long", async () => {
    const nowMs = vi.spyOn(performance, "now").mockReturnValue(0);
    const deliveries: Delivery<UnknownRecord>[] = [];
    const handler: RecordHandler<unknown, unknown> = (_, context) => {
      const delivery = context as Delivery<UnknownRecord>;
      delivery.isUntaken = true;
      deliveries.push(delivery);
      return new Promise(() => {});
    };
    const { member, failures, assign, fetched } = setUp(handler, { maxPollIntervalMs: 500 });
    await member.start();
    await assign([A], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(1) });
    await quiet();
    nowMs.mockReturnValue(100_000);
    vi.advanceTimersByTime(500);
    expect(failures).toEqual([]);
    Object.assign(deliveries[0] as object, { isUntaken: false, sinceMs: 100_000 });
    nowMs.mockReturnValue(100_501);
    vi.advanceTimersByTime(500);
    expect(failures).toMatchObject([{ code: "EOS_MAX_POLL_INTERVAL" }]);
    nowMs.mockRestore();
    await member.close({ timeoutMs: 1_000, drain: false, leaveGroup: undefined });
  });

  it("closes without handing anything more out, and drops what is in hand when it shall not drain", async () => {
    const { handler, calls, names } = byHand();
    const { client, member, assign, fetched, running } = setUp(handler, { concurrency: 1 });
    await member.start();
    await assign([A, B], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(3) });
    fetched(B, { baseOffset: 0, keys: keys(3) });
    await quiet();
    await member.close({ timeoutMs: 8_000, drain: false, leaveGroup: undefined });
    expect(names()).toEqual(["0@0"]);
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(running).toEqual([true, false]);
    expect(client.isDisconnected).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("hurries a rebalance that waits for handlers, so that there is time to commit before closing is over", async () => {
    const { handler, calls } = byHand();
    const { client, member, assign, revoke, fetched } = setUp(handler, { revokeTimeoutMs: 30_000 });
    await assign([A, B], generationOf(1));
    fetched(A, { baseOffset: 0, keys: keys(1) });
    fetched(B, { baseOffset: 0, keys: keys(1) });
    await quiet();
    const revoked = revoke([A, B]);
    calls[0]?.resolve();
    client.revokeOnClose = () => revoked;
    const closed = member.close({ timeoutMs: 1_000, drain: true, leaveGroup: undefined });
    await vi.advanceTimersByTimeAsync(800);
    await closed;
    expect(client.commits).toEqual(["1:0@1"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("cleans up when leaving fails", async () => {
    const { handler } = byHand();
    const { client, member, assign } = setUp(handler);
    await member.start();
    await assign([A], generationOf(1));
    client.revokeOnClose = () => Promise.reject(new Error("leaving failed"));
    await expect(member.close({ timeoutMs: 1_000, drain: true, leaveGroup: undefined })).rejects.toThrow(
      "leaving failed",
    );
    expect(client.isDisconnected).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes on where onOffsetOutOfRange says, or where a seek that came meanwhile has moved to", async () => {
    for (const seeks of [false, true]) {
      const { client, member, assign, queueOf, onFetchError, fatal } = setUp(() => {}, {
        onOffsetOutOfRange: "latest",
      });
      let answer = (_offset: number): void => {};
      client.latest = () => new Promise((resolve) => (answer = resolve));
      await assign([A], generationOf(1));
      const queue = queueOf(A) as PartitionQueue;
      queue.closed = true;
      onFetchError(queue, new OffsetOutOfRangeError({ ...A, offset: 0 }));
      await quiet();
      if (seeks) member.seek(A, 40);
      answer(77);
      await quiet();
      expect(queueOf(A)?.position).toBe(seeks ? 40 : 77);
      expect(fatal).toEqual([]);
    }
  });

  it("handles what was fetched before the offset that is out of range, and then goes on behind the gap", async () => {
    const handled: number[] = [];
    const { client, member, assign, fetched, queueOf, onFetchError } = setUp(
      ({ offset }) => void handled.push(offset),
      {
        onOffsetOutOfRange: "earliest",
      },
    );
    client.latest = () => Promise.resolve(50);
    await assign([A], generationOf(1));
    const queue = queueOf(A) as PartitionQueue;
    member.pause(A);
    fetched(A, { baseOffset: 0, keys: keys(3) });
    queue.closed = true;
    onFetchError(queue, new OffsetOutOfRangeError({ ...A, offset: 3 }));
    await quiet();
    member.resume(A);
    await quiet();
    expect(handled).toEqual([0, 1, 2]);
    expect([queueOf(A)?.closed, queueOf(A)?.position]).toEqual([false, 50]);
    await member.commit(AbortSignal.timeout(1_000));
    expect(client.commits.at(-1)).toBe("1:0@50");
  });
});

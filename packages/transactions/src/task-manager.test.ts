import { type Client, type GroupConsumer, type GroupGeneration, PartitionQueue } from "@eos/client";
import {
  bytesSerde,
  type ParticipantTask,
  silentLogger,
  systemClock,
  type TaskParticipant,
  type TopicPartition,
  type TransactionParticipant,
} from "@eos/core";
import { describe, expect, it } from "vitest";
import { ProcessorMetrics } from "./processor-metrics.ts";
import { ScriptedProducer } from "./scripted-producer-fixture.ts";
import { TaskManager } from "./task-manager.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = (): AbortSignal => new AbortController().signal;
const generation = (generationId: number): GroupGeneration => ({
  groupId: "app",
  generationId,
  memberId: "m",
  groupInstanceId: null,
});
const partitionsOf = (topic: string, ...numbers: number[]): TopicPartition[] =>
  numbers.map((partition) => ({ topic, partition }));

/** A store that says what is done to it; opening and closing take until `gates` say so. */
class SlowStore implements TransactionParticipant<object, Client> {
  readonly name = "store";
  readonly gates: { open?: Promise<void>; restore?: Promise<void>; close?: Promise<void> } = {};
  readonly #calls: string[];

  constructor(calls: string[]) {
    this.#calls = calls;
  }

  async prepare(): Promise<void> {}

  async open({ taskId }: ParticipantTask): Promise<TaskParticipant<object>> {
    const calls = this.#calls;
    const { gates } = this;
    calls.push(`open ${taskId}`);
    await gates.open;
    return {
      state: {},
      restore: async (positions, signal) => {
        signal.throwIfAborted();
        calls.push(`restore ${taskId} at ${positions.map(({ topic, offset }) => `${topic} ${offset}`).join()}`);
        await gates.restore;
      },
      beginCommit: () => undefined,
      committed: () => Promise.resolve(),
      abort: () => undefined,
      close: async () => {
        await gates.close;
        calls.push(`close ${taskId}`);
      },
    };
  }
}

function manager(topics: readonly string[] = ["in"], producerScope: "process" | "task" = "process") {
  const calls: string[] = [];
  const store = new SlowStore(calls);
  class Producer extends ScriptedProducer {
    override state = "uninitialized" as ScriptedProducer["state"];
    override async init(): Promise<void> {
      calls.push("init");
      this.state = "ready";
    }
    openAgeMs = (): number => 0;
  }
  const client = {
    producer: async () => new Producer({}),
    commitOffsets: async () => void calls.push("claim"),
    admin: {
      committedOffsets: async (_groupId: string, partitions: readonly TopicPartition[]) => {
        calls.push("stable offsets");
        return partitions.map((partition) => ({ ...partition, offset: 7, metadata: null, errorCode: 0 }));
      },
    },
  } as unknown as Client;
  const consumer = {
    fetch: ({ topic, partition }: TopicPartition, position: number, of: GroupGeneration) => {
      calls.push(`fetch ${topic}-${partition} at ${position}`);
      return new PartitionQueue(topic, partition, position, of);
    },
    stopFetching: ({ topic, partition }: TopicPartition) => calls.push(`stop ${topic}-${partition}`),
    wake: () => undefined,
  } as unknown as GroupConsumer;
  const tasks = new TaskManager<Buffer, Buffer, Buffer, Buffer>({
    client,
    clock: systemClock,
    logger: silentLogger,
    observer: {},
    metrics: new ProcessorMetrics(),
    applicationId: "app",
    processId: "p",
    inputs: topics.map((topic) => ({ topic, key: bytesSerde, value: bytesSerde })),
    outputs: [],
    stores: [store],
    transform: () => undefined,
    guarantee: "exactly_once_v2",
    producerScope,
    commitIntervalMs: 100,
    transactionTimeoutMs: 10_000,
    maxBatchBytes: undefined,
    compression: "none",
    autoOffsetReset: "earliest",
    consumer: () => consumer,
    onProcessingError: () => "fail",
    onSkipped: () => undefined,
    onTaskFailure: () => undefined,
    onFenced: () => undefined,
    onFatal: () => undefined,
  });
  return { tasks, store, calls };
}

function gate(): { readonly closed: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const closed = new Promise<void>((resolve) => (open = resolve));
  return { closed, open };
}

describe("an assignment", () => {
  it("is taken up in an order that leaves nothing to a predecessor, and runs when the state is there", async () => {
    const { tasks, store, calls } = manager();
    const restored = gate();
    store.gates.restore = restored.closed;
    const assigned = tasks.assigned(partitionsOf("in", 0), generation(1), never(), null);
    await turn();
    expect(calls).toEqual(["init", "stable offsets", "claim", "open 0_0", "restore 0_0 at in 7"]);
    expect(tasks.isRunning).toBe(false);
    restored.open();
    await assigned;
    expect(calls.slice(5)).toEqual(["fetch in-0 at 7"]);
    expect(tasks.isRunning).toBe(true);
  });

  it("opens the state of all its partitions at the same time", async () => {
    const { tasks, store, calls } = manager();
    const opened = gate();
    store.gates.open = opened.closed;
    const assigned = tasks.assigned(partitionsOf("in", 0, 1, 2), generation(1), never(), null);
    await turn();
    expect(calls.slice(3)).toEqual(["open 0_0", "open 0_1", "open 0_2"]);
    opened.open();
    await assigned;
  });

  it("keeps open what the member held in the generation before, and closes what has gone", async () => {
    const { tasks, calls } = manager();
    await tasks.assigned(partitionsOf("in", 0, 1), generation(1), never(), null);
    await tasks.revoked(never());
    calls.length = 0;
    await tasks.assigned(partitionsOf("in", 1), generation(2), never(), null);
    expect(calls).toEqual(["stop in-0", "close 0_0"]);
    expect(tasks.isRunning).toBe(true);
  });

  it.for(["process", "task"] as const)(
    "opens again what somebody else may have had, once it is closed (scope %s)",
    async (producerScope) => {
      const { tasks, store, calls } = manager(["in"], producerScope);
      await tasks.assigned(partitionsOf("in", 0), generation(1), never(), null);
      await tasks.revoked(never());
      calls.length = 0;
      const closed = gate();
      store.gates.close = closed.closed;
      const assigned = tasks.assigned(partitionsOf("in", 0), generation(3), never(), null);
      await turn();
      expect(calls).toEqual(["stop in-0"]);
      closed.open();
      await assigned;
      expect(calls.filter((call) => /^(open|close|restore)/.test(call))).toEqual([
        "close 0_0",
        "open 0_0",
        "restore 0_0 at in 7",
      ]);
    },
  );

  it("gives one state to a partition number of all inputs, and keeps all of it or nothing", async () => {
    const { tasks, calls } = manager(["in", "other"]);
    const both = [...partitionsOf("in", 0), ...partitionsOf("other", 0)];
    await tasks.assigned(both, generation(1), never(), null);
    expect(calls.slice(3)).toEqual([
      "open 0_0",
      "restore 0_0 at in 7,other 7",
      "fetch in-0 at 7",
      "fetch other-0 at 7",
    ]);
    await tasks.revoked(never());
    calls.length = 0;
    await tasks.assigned(partitionsOf("in", 0), generation(2), never(), null);
    expect(calls.slice(0, 3)).toEqual(["stop in-0", "stop other-0", "close 0_0"]);
    expect(calls.slice(-3)).toEqual(["open 0_0", "restore 0_0 at in 7", "fetch in-0 at 7"]);
  });

  it("that ends while state is opened leaves none open", async () => {
    const { tasks, store, calls } = manager();
    const opened = gate();
    store.gates.open = opened.closed;
    const ended = new AbortController();
    const assigned = tasks.assigned(partitionsOf("in", 0), generation(1), ended.signal, null);
    await turn();
    ended.abort(new Error("ended"));
    opened.open();
    await expect(assigned).rejects.toThrow("ended");
    expect(calls.slice(3)).toEqual(["open 0_0", "close 0_0"]);
    expect(tasks.taskCount).toBe(0);
  });

  it("that ends unseen by what it restores is not begun either", async () => {
    const { tasks, store, calls } = manager();
    const restored = gate();
    store.gates.restore = restored.closed;
    const ended = new AbortController();
    const assigned = tasks.assigned(partitionsOf("in", 0), generation(1), ended.signal, null);
    await turn();
    ended.abort(new Error("ended"));
    restored.open();
    await expect(assigned).rejects.toThrow("ended");
    expect(calls.slice(4)).toEqual(["restore 0_0 at in 7", "close 0_0"]);
  });

  it("that is lost returns when its state is closed", async () => {
    const { tasks, store, calls } = manager();
    await tasks.assigned(partitionsOf("in", 0), generation(1), never(), null);
    const closed = gate();
    store.gates.close = closed.closed;
    let isLost = false;
    const lost = tasks.lost().then(() => (isLost = true));
    await turn();
    expect(isLost).toBe(false);
    closed.open();
    await lost;
    expect(calls.at(-1)).toBe("close 0_0");
  });
});

describe("closing", () => {
  it("returns when all state is closed, also that which is being opened", async () => {
    const { tasks, store, calls } = manager();
    await tasks.assigned(partitionsOf("in", 0), generation(1), never(), null);
    await tasks.revoked(never());
    const opened = gate();
    store.gates.open = opened.closed;
    const assigned = tasks.assigned(partitionsOf("in", 0, 1), generation(2), never(), null);
    await turn();
    calls.length = 0;
    let isClosed = false;
    const closed = tasks.close().then(() => (isClosed = true));
    await turn();
    expect([isClosed, ...calls]).toEqual([false, "close 0_0"]);
    opened.open();
    await Promise.all([closed, assigned]);
    expect(calls.slice(1)).toEqual(["restore 0_1 at in 7", "close 0_1"]);
  });
});

import { type BatchProducer, type Client, ConnectionError, TransactionAbortedError } from "@eos/client";
import {
  type Clock,
  createHeaders,
  EosError,
  type ParticipantTask,
  type PartitionPosition,
  type Severity,
  silentLogger,
  systemClock,
  type TaskParticipant,
  type TransactionParticipant,
} from "@eos/core";
import { describe, expect, it, vi } from "vitest";
import { CommitUnit } from "./commit-unit.ts";
import { ParticipantGroup } from "./participant-group.ts";
import { ProcessorMetrics } from "./processor-metrics.ts";
import { type Answers, ScriptedProducer } from "./scripted-producer-fixture.ts";
import type { AnyTask } from "./task.ts";

const COMMITTED_OFFSET = 3;

const aborted = (): Error =>
  new TransactionAbortedError("aborted", { transactionalId: "t", cause: new Error("refused"), connectionLost: false });
const trouble = (severity: Severity): EosError => new EosError("trouble", { code: "EOS_TEST", severity });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A promise with its handles. */
function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Writes down what it is told; rejects as its script says. */
class ScriptedParticipant implements TransactionParticipant<string, Client>, TaskParticipant<string> {
  readonly name: string;
  readonly state: string;
  readonly positions: (readonly PartitionPosition[])[] = [];
  readonly script: { [call in "open" | "restore" | "committed" | "close"]: (Error | Promise<void>)[] } = {
    open: [],
    restore: [],
    committed: [],
    close: [],
  };
  onBeginCommit = (): void => {};
  onCommitted = (): void => {};
  task!: ParticipantTask;
  readonly #calls: string[];

  constructor(name: string, calls: string[]) {
    this.name = name;
    this.state = `state of ${name}`;
    this.#calls = calls;
  }

  async prepare(): Promise<void> {}

  async open(task: ParticipantTask): Promise<TaskParticipant<string>> {
    this.task = task;
    await this.#play("open");
    return this;
  }

  restore(positions: readonly PartitionPosition[]): Promise<void> {
    this.positions.push(positions);
    return this.#play("restore");
  }

  beginCommit(): void {
    this.#calls.push(`${this.name} beginCommit`);
    this.onBeginCommit();
  }

  committed(positions: readonly PartitionPosition[]): Promise<void> {
    this.positions.push(positions);
    this.onCommitted();
    return this.#play("committed");
  }

  abort(): void {
    this.#calls.push(`${this.name} abort`);
  }

  close(): Promise<void> {
    return this.#play("close");
  }

  async #play(call: "open" | "restore" | "committed" | "close"): Promise<void> {
    this.#calls.push(`${this.name} ${call}`);
    const answer = this.script[call].shift();
    if (answer instanceof Error) throw answer;
    await answer;
  }
}

/** A task whose records are processed by whoever calls `process`. */
class ScriptedTask {
  readonly queue = {
    topic: "in",
    partition: 0,
    generation: { groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null },
  };
  position = 0;
  committedPosition = 0;
  isDropped = false;
  pending: object | null = null;
  whenSettled = deferred();
  whenQuiet = Promise.resolve();
  readonly #calls: string[];

  constructor(calls: string[]) {
    this.#calls = calls;
  }

  /** A record whose promise is outstanding. */
  hold(): void {
    this.pending = {};
    this.whenSettled = deferred();
  }

  release(): void {
    this.pending = null;
    this.position++;
    this.whenSettled.resolve();
  }

  settled(): Promise<void> {
    return this.pending === null ? Promise.resolve() : this.whenSettled.promise;
  }

  quiet(): Promise<void> {
    return this.whenQuiet;
  }

  drop(): void {
    this.isDropped = true;
    this.pending = null;
    this.whenSettled.resolve();
  }

  rewind(offset: number): void {
    this.#calls.push(`rewind ${offset}`);
    this.isDropped = false;
    this.position = this.committedPosition = offset;
  }
}

interface Scenario {
  readonly unit: CommitUnit;
  readonly group: ParticipantGroup;
  readonly task: ScriptedTask;
  readonly producer: ScriptedProducer;
  readonly a: ScriptedParticipant;
  readonly b: ScriptedParticipant;
  /** Since the unit began to run. */
  readonly calls: string[];
  readonly fatal: unknown[];
  readonly sleptMs: number[];
  /** Processes up to `position` and commits. */
  commitAt(position: number): Promise<void>;
}

async function scenario(answers: Answers = {}): Promise<Scenario> {
  const producer = new ScriptedProducer(answers);
  const { calls } = producer;
  const fatal: unknown[] = [];
  const sleptMs: number[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      sleptMs.push(ms);
      await turn();
    },
  };
  const unit = new CommitUnit({
    producer: producer as unknown as BatchProducer,
    clock,
    logger: silentLogger,
    observer: {},
    metrics: new ProcessorMetrics(),
    commitIntervalMs: 0,
    stableOffsets: async (tasks) => {
      calls.push("stable offsets");
      return tasks.map(() => COMMITTED_OFFSET);
    },
    confirmMembership: async () => false,
    requestRejoin: () => calls.push("rejoin"),
    onFenced: () => calls.push("fenced"),
    onFatal: (error) => fatal.push(error),
    onRunnable: () => undefined,
  });
  const a = new ScriptedParticipant("a", calls);
  const b = new ScriptedParticipant("b", calls);
  const group = new ParticipantGroup({
    participants: [a, b],
    partition: 0,
    producer: producer as unknown as BatchProducer,
    clock,
    logger: silentLogger,
    onFailure: (failure) => unit.stateFailed(failure),
  });
  unit.groups.set(0, group);
  await group.open([{ topic: "in", partition: 0, offset: 0 }], new AbortController().signal);
  const task = new ScriptedTask(calls);
  unit.tasks.add(task as unknown as AnyTask);
  group.tasks.add(task as unknown as AnyTask);
  unit.run();
  calls.length = 0;
  const commitAt = async (position: number): Promise<void> => {
    task.position = position;
    unit.touched();
    await turn();
    await turn();
  };
  return { unit, group, task, producer, a, b, calls, fatal, sleptMs, commitAt };
}

async function eventually(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns > 1_000) throw new Error("what was waited for did not come");
    await turn();
  }
}

const never = (): AbortSignal => new AbortController().signal;
const RECOVERY = [
  "a abort",
  "b abort",
  "abort",
  "stable offsets",
  "a restore",
  "b restore",
  `rewind ${COMMITTED_OFFSET}`,
];
const COMMIT = ["a beginCommit", "b beginCommit", "commit 5"];
const TAKEN = ["a committed", "b committed"];

describe("a commit with participants", () => {
  it("begins theirs in the step in which the producer's begins, and tells them when it is acknowledged", async () => {
    const { a, b, calls, commitAt } = await scenario();
    a.onBeginCommit = () => queueMicrotask(() => calls.push("microtask"));
    await commitAt(5);
    expect(calls).toEqual([...COMMIT, "microtask", ...TAKEN]);
    for (const { positions } of [a, b]) expect(positions.at(-1)).toEqual([{ topic: "in", partition: 0, offset: 5 }]);
  });

  it("tells them the positions that were committed, not those that were reached meanwhile", async () => {
    const acknowledged = deferred();
    const { a, task, commitAt } = await scenario({ commit: [acknowledged.promise] });
    await commitAt(5);
    task.position = 9;
    acknowledged.resolve();
    await turn();
    expect(a.positions.at(-1)).toEqual([{ topic: "in", partition: 0, offset: 5 }]);
  });

  it("is not followed by the next one before all have taken it, while records are processed", async () => {
    const { unit, task, a, calls, commitAt } = await scenario();
    const taken = deferred();
    a.script.committed.push(taken.promise);
    await commitAt(5);
    await commitAt(6);
    expect(calls).toEqual([...COMMIT, ...TAKEN]);
    expect(task.committedPosition).toBe(5);
    expect(unit.mayProcess).toBe(true);
    taken.resolve();
    await turn();
    expect(calls.slice(5)).toEqual(["a beginCommit", "b beginCommit", "commit 6", ...TAKEN]);
  });

  it("drops what is not committed when it fails, restores it from the stable offsets, and goes on", async () => {
    const { unit, a, calls, commitAt } = await scenario({ commit: [aborted()] });
    await commitAt(5);
    await eventually(() => unit.isRunning);
    expect(calls).toEqual([...COMMIT, ...RECOVERY]);
    expect(a.positions.at(-1)).toEqual([{ topic: "in", partition: 0, offset: COMMITTED_OFFSET }]);
  });

  it("drops it once, however often the producer's abort has to be tried", async () => {
    const { unit, calls, commitAt } = await scenario({ commit: [aborted()], abort: [new ConnectionError("lost")] });
    await commitAt(5);
    await eventually(() => unit.isRunning);
    expect(calls).toEqual([...COMMIT, "a abort", "b abort", "abort", ...RECOVERY.slice(2)]);
  });

  it("drops it too when a participant does not begin it", async () => {
    const { unit, b, calls, commitAt } = await scenario();
    b.onBeginCommit = () => {
      b.onBeginCommit = () => undefined;
      throw trouble("abortable");
    };
    await commitAt(5);
    await eventually(() => unit.isRunning);
    expect(calls).toEqual(["a beginCommit", "b beginCommit", ...RECOVERY]);
  });

  it("that a participant does not begin again and again is tried again after a while that grows", async () => {
    const { unit, a, sleptMs, fatal, commitAt } = await scenario();
    a.onBeginCommit = () => {
      throw new Error("too large");
    };
    for (let failures = 1; failures <= 10; failures++) {
      await commitAt(5);
      await eventually(() => unit.isRunning);
    }
    expect(sleptMs).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    expect(fatal).toEqual([]);
  });

  it("that a participant can never begin again stops the processor", async () => {
    const { a, fatal, commitAt } = await scenario();
    const error = trouble("fatal");
    a.onBeginCommit = () => {
      throw error;
    };
    await commitAt(5);
    await eventually(() => fatal.length > 0);
    expect(fatal).toEqual([error]);
  });

  it("that a participant cannot take counts as committed, and its state is restored", async () => {
    const { unit, a, task, calls, commitAt } = await scenario();
    a.script.committed.push(trouble("retriable"));
    await commitAt(5);
    expect(task.committedPosition).toBe(COMMITTED_OFFSET);
    await eventually(() => unit.isRunning);
    expect(calls).toEqual([...COMMIT, ...TAKEN, ...RECOVERY]);
  });

  it("is followed by one for what participants have written while they took it, though no record comes", async () => {
    const { producer, a, task, calls, commitAt } = await scenario();
    a.onCommitted = () => {
      producer.state = "in-transaction";
      a.onCommitted = () => undefined;
    };
    await commitAt(5);
    await eventually(() => calls.length === 10);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(calls).toEqual([...COMMIT, ...TAKEN, ...COMMIT, ...TAKEN]);
    expect(task.committedPosition).toBe(5);
    expect(producer.state).toBe("ready");
  });

  it("is not followed by another one that nobody has asked for once the tasks are suspended", async () => {
    const { unit, producer, a, calls, commitAt } = await scenario();
    const taken = deferred();
    a.script.committed.push(taken.promise);
    await commitAt(5);
    const suspended = unit.suspend(never());
    producer.state = "in-transaction";
    taken.resolve();
    await suspended;
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(calls).toEqual([...COMMIT, ...TAKEN, ...COMMIT, ...TAKEN]);
  });
});

describe("the last commit before a partition may go", () => {
  const LAST = ["a beginCommit", "b beginCommit", "commit 0", ...TAKEN];

  it("is followed by another one for what participants have written while they took it", async () => {
    const { unit, producer, a, task, calls } = await scenario();
    producer.state = "in-transaction";
    const rests = [1, 2];
    a.onCommitted = () => {
      if (rests.shift() !== undefined) producer.state = "in-transaction";
    };
    await unit.suspend(never());
    expect(calls).toEqual([...LAST, ...LAST, ...LAST]);
    expect(task.isDropped).toBe(false);
  });

  it("leaves nothing behind: what they go on writing is aborted, and the state taken up anew", async () => {
    const { unit, producer, a, task, calls } = await scenario();
    producer.state = "in-transaction";
    a.onCommitted = () => {
      producer.state = "in-transaction";
    };
    await unit.suspend(never());
    expect(calls).toEqual([...LAST, ...LAST, ...LAST, "abort"]);
    expect(task.isDropped).toBe(true);
  });
});

describe("a record that is half processed", () => {
  it("is waited for by the commit, and no other is begun meanwhile", async () => {
    const { unit, task, calls, commitAt } = await scenario();
    task.hold();
    await commitAt(4);
    expect(calls).toEqual([]);
    expect(unit.mayProcess).toBe(false);
    task.release();
    await turn();
    expect(calls).toEqual([...COMMIT, ...TAKEN]);
    expect(unit.mayProcess).toBe(true);
  });

  it("is not committed by a revocation that cannot wait for it: everything open is aborted", async () => {
    const { unit, task, calls } = await scenario();
    task.position = 4;
    task.hold();
    await unit.suspend(AbortSignal.abort());
    expect(calls).toEqual(["abort"]);
    expect(task.isDropped).toBe(true);
  });

  it("nor by a commit that was waiting for it when the assignment was lost", async () => {
    const { unit, task, calls, commitAt } = await scenario();
    task.hold();
    await commitAt(4);
    await unit.abandon();
    expect(calls).toEqual(["abort"]);
  });

  it("is waited for by a recovery: what it has yet to write would be written beside its second run", async () => {
    const { unit, task, calls, commitAt } = await scenario({ commit: [aborted()] });
    const quiet = deferred();
    task.whenQuiet = quiet.promise;
    await commitAt(5);
    await turn();
    expect(calls).toEqual(COMMIT);
    quiet.resolve();
    await eventually(() => unit.isRunning);
    expect(calls).toEqual([...COMMIT, ...RECOVERY]);
  });
});

describe("a participant that fails", () => {
  it("has nothing committed that is open, at once", async () => {
    const { unit, a, task, calls } = await scenario();
    task.position = 5;
    unit.touched();
    a.task.fail(trouble("abortable"));
    expect(task.isDropped).toBe(true);
    expect(unit.mayProcess).toBe(false);
    await eventually(() => unit.isRunning);
    expect(calls).toEqual(RECOVERY);
  });

  it("with an error of its own is restored likewise", async () => {
    const { unit, a, group, calls } = await scenario();
    a.task.fail(new Error("mine"));
    expect(group.failure).toMatchObject({ code: "EOS_STATE_FAILED", taskId: "0_0", cause: { message: "mine" } });
    await eventually(() => unit.isRunning);
    expect(calls).toEqual(RECOVERY);
    expect(group.failure).toBeNull();
  });

  it("lets the commit in flight end first, and be taken", async () => {
    const acknowledged = deferred();
    const { unit, a, task, calls, commitAt } = await scenario({ commit: [acknowledged.promise] });
    await commitAt(5);
    task.position = 8;
    a.task.fail(trouble("abortable"));
    await turn();
    expect(calls).toEqual(COMMIT);
    acknowledged.resolve();
    await eventually(() => unit.isRunning);
    expect(calls).toEqual([...COMMIT, ...TAKEN, ...RECOVERY]);
  });

  it("leaves the verdict to the broker when the commit in flight fails as well", async () => {
    const refused = deferred();
    const { unit, a, calls, commitAt, producer } = await scenario({
      commit: [refused.promise.then(() => Promise.reject(aborted()))],
    });
    await commitAt(5);
    a.task.fail(trouble("fatal"));
    producer.state = "abortable-error";
    refused.resolve();
    await eventually(() => unit.isRunning);
    expect(calls).toEqual([...COMMIT, ...RECOVERY]);
  });

  it("during a revocation has nothing committed by it", async () => {
    const { unit, a, task, calls } = await scenario();
    task.position = 4;
    task.hold();
    const suspended = unit.suspend(never());
    a.task.fail(trouble("abortable"));
    await suspended;
    expect(calls).toEqual(["abort"]);
    expect(task.isDropped).toBe(true);
  });

  it("before the task is run is restored before it is run", async () => {
    const { unit, a, task, calls } = await scenario();
    await unit.suspend(never());
    a.task.fail(trouble("abortable"));
    unit.run();
    expect(unit.mayProcess).toBe(false);
    await eventually(() => unit.isRunning);
    expect(calls).toEqual(RECOVERY);
    expect(task.position).toBe(COMMITTED_OFFSET);
  });

  it("while another is restored is restored once more", async () => {
    const { unit, a, b, calls } = await scenario();
    const restored = deferred();
    b.script.restore.push(restored.promise);
    a.task.fail(trouble("abortable"));
    await eventually(() => calls.includes("b restore"));
    a.task.fail(trouble("abortable"));
    restored.resolve();
    await eventually(() => unit.isRunning);
    expect(calls).toEqual([...RECOVERY.slice(0, -1), ...RECOVERY]);
  });

  it("again and again waits longer each time and never gives up, until a commit has been taken", async () => {
    const { unit, a, commitAt, fatal, sleptMs } = await scenario();
    for (let failure = 0; failure < 10; failure++) {
      a.script.committed.push(trouble("retriable"));
      await commitAt(5);
      await eventually(() => unit.isRunning);
    }
    expect(fatal).toEqual([]);
    expect(sleptMs).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    await commitAt(5);
    a.task.fail(trouble("retriable"));
    await eventually(() => unit.isRunning);
    expect(sleptMs).toHaveLength(9);
  });

  it("to take a commit and says so itself as well has failed once", async () => {
    const { unit, a, calls, sleptMs, commitAt } = await scenario();
    a.onCommitted = () => {
      a.onCommitted = () => undefined;
      a.task.fail(trouble("retriable"));
    };
    a.script.committed.push(trouble("retriable"));
    await commitAt(5);
    await eventually(() => unit.isRunning);
    expect(calls).toEqual([...COMMIT, ...TAKEN, ...RECOVERY]);
    expect(sleptMs).toEqual([]);
  });

  it("with a fatal error ends the processor", async () => {
    const { unit, a, fatal, calls } = await scenario();
    const error = trouble("fatal");
    a.task.fail(error);
    await eventually(() => fatal.length > 0);
    expect(fatal).toEqual([error]);
    expect(unit.isRunning).toBe(false);
    expect(calls).toEqual([]);
  });
});

describe("a restore that is refused", () => {
  it("is tried again for as long as it takes, with a growing wait, and the unit does not run meanwhile", async () => {
    const { unit, a, task, calls, fatal, sleptMs, commitAt } = await scenario({ commit: [aborted()] });
    for (let failure = 0; failure < 9; failure++)
      a.script.restore.push(trouble(failure % 2 ? "retriable" : "abortable"));
    await commitAt(5);
    await eventually(() => sleptMs.length >= 5);
    expect(unit.isRunning).toBe(false);
    expect(task.isDropped).toBe(true);
    await eventually(() => unit.isRunning);
    expect(fatal).toEqual([]);
    expect(sleptMs).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    expect(calls.filter((call) => call === "a restore")).toHaveLength(10);
    expect(calls.filter((call) => call === "b restore")).toHaveLength(1);
  });

  it.for([trouble("fatal"), new TypeError("a mistake")])("with %s ends the processor", async (error) => {
    const { unit, a, fatal, commitAt } = await scenario({ commit: [aborted()] });
    a.script.restore.push(error);
    await commitAt(5);
    await eventually(() => fatal.length > 0);
    expect(fatal).toEqual([error]);
    expect(unit.isRunning).toBe(false);
  });

  it("is given up when the group has gone on", async () => {
    const { unit, a, task, fatal, sleptMs, commitAt } = await scenario({ commit: [aborted()] });
    for (let failure = 0; failure < 100; failure++) a.script.restore.push(trouble("retriable"));
    await commitAt(5);
    await eventually(() => sleptMs.length > 0);
    await unit.abandon();
    expect(a.script.restore.length).toBeGreaterThan(0);
    expect(task.isDropped).toBe(true);
    expect(fatal).toEqual([]);
  });
});

describe("a group of participants", () => {
  it("gives each task's states by the store and by its name, and says which there are", async () => {
    const { group, a, b } = await scenario();
    expect(group.context.getStateStore(a)).toBe("state of a");
    expect(group.context.getStateStore<string>("b")).toBe("state of b");
    expect(() => group.context.getStateStore("c")).toThrow(TypeError);
    expect(() => group.context.getStateStore("c")).toThrow('"c" is not among the processor\'s stores (a, b)');
    const stranger = new ScriptedParticipant("stranger", []);
    expect(() => group.context.getStateStore(stranger)).toThrow('"stranger" is not among');
    expect(b.task).toMatchObject({ taskId: "0_0", partition: 0, timestamp: -1 });
  });

  it("waits for the call that is outstanding before it closes", async () => {
    const { unit, a, calls, commitAt } = await scenario();
    const taken = deferred();
    a.script.committed.push(taken.promise);
    await commitAt(5);
    const closed = unit.close();
    await turn();
    expect(calls).toEqual([...COMMIT, ...TAKEN]);
    taken.resolve();
    await closed;
    expect(calls.slice(5)).toEqual(["a close", "b close"]);
  });

  it("drops a commit whose outcome it has not been told before it closes", async () => {
    const { unit, calls, commitAt } = await scenario({ commit: [new Promise(() => {})] });
    await commitAt(5);
    await unit.close();
    expect(calls).toEqual([...COMMIT, "a abort", "b abort", "a close", "b close"]);
  });

  it("closes all when one cannot be closed, and closes nothing twice", async () => {
    const { group, a, calls } = await scenario();
    a.script.close.push(new Error("stuck"));
    await Promise.all([group.close(), group.close()]);
    expect(calls).toEqual(["a close", "b close"]);
  });

  it("leaves one behind that does not close within 10 s", async () => {
    const { group, a } = await scenario();
    a.script.close.push(new Promise(() => {}));
    vi.useFakeTimers();
    try {
      const closed = group.close();
      await vi.advanceTimersByTimeAsync(10_000);
      await closed;
    } finally {
      vi.useRealTimers();
    }
  });

  it("tells a participant nothing more, and listens to none, once it is closed", async () => {
    const { group, a, task, calls } = await scenario();
    await group.close();
    await group.committed();
    a.task.fail(trouble("abortable"));
    expect(group.failure).toBeNull();
    expect(task.isDropped).toBe(false);
    expect(calls).toEqual(["a close", "b close"]);
  });

  it("writes to the task's partition of a topic, until it has left", async () => {
    const { group, a, calls } = await scenario();
    const sink = await a.task.sink("changelog");
    const key = Buffer.from("a key");
    sink.append(key, 2, 5, "value", 7);
    sink.append(key, 0, 1, null, 8, createHeaders({ h: Buffer.from("1") }));
    expect(calls).toEqual([
      'append changelog-0 key=value at 7, headers "none"',
      String.raw`append changelog-0 a=null at 8, headers "\u0002\u0002h\u00021"`,
    ]);
    expect(sink.endOffset).toBe(42);
    sink.checkRecordSize(7);
    expect(calls.at(-1)).toBe("check 7 bytes");
    await group.close();
    expect(() => sink.append(key, 2, 5, "value", 7)).toThrow(TransactionAbortedError);
    expect(calls.filter((call) => call.startsWith("append"))).toHaveLength(2);
  });

  it("does not write to a topic that has no such partition", async () => {
    const { producer } = await scenario();
    const calls: string[] = [];
    const store = new ScriptedParticipant("store", calls);
    const group = new ParticipantGroup({
      participants: [store],
      partition: 1,
      producer: producer as unknown as BatchProducer,
      clock: systemClock,
      logger: silentLogger,
      onFailure: () => undefined,
    });
    await group.open([], never());
    await expect(store.task.sink("changelog")).rejects.toMatchObject({ code: "EOS_UNKNOWN_PARTITION", partition: 1 });
  });

  it("opens again what could not be opened, until the assignment has ended", async () => {
    const { a, group, sleptMs, calls } = await scenario();
    a.script.open.push(trouble("retriable"), trouble("abortable"));
    await group.open([], new AbortController().signal);
    expect(sleptMs).toEqual([100, 200]);
    expect(calls.filter((call) => call === "a open")).toHaveLength(3);
    a.script.open.push(trouble("fatal"));
    await expect(group.open([], new AbortController().signal)).rejects.toThrow("trouble");
    await expect(group.open([], AbortSignal.abort(new Error("ended")))).rejects.toThrow("ended");
  });

  it("lets tasks that share state have one record outstanding among them", async () => {
    const { group, task } = await scenario();
    const sibling = new ScriptedTask([]);
    group.tasks.add(sibling as unknown as AnyTask);
    task.hold();
    expect(group.mayRun(sibling as unknown as AnyTask)).toBe(false);
    expect(group.mayRun(task as unknown as AnyTask)).toBe(true);
    task.release();
    expect(group.mayRun(sibling as unknown as AnyTask)).toBe(true);
  });
});

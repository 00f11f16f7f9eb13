import {
  BrokerError,
  type BatchProducer,
  ConnectionError,
  ProducerFencedError,
  TransactionAbortedError,
} from "@eos/client";
import { type Clock, silentLogger } from "@eos/core";
import { describe, expect, it } from "vitest";
import { CommitUnit, type CommitUnitOptions } from "./commit-unit.ts";
import { NoProgressError } from "./errors.ts";
import { ProcessorMetrics } from "./processor-metrics.ts";
import { type Answers, ScriptedProducer } from "./scripted-producer-fixture.ts";
import type { AnyTask } from "./task.ts";

const ILLEGAL_GENERATION = 22;
const PRODUCER_FENCED = 90;

const fenced = (): Error => new ProducerFencedError({ api: "EndTxn", kafkaCode: PRODUCER_FENCED });
const stale = (): Error => new BrokerError({ api: "TxnOffsetCommit", kafkaCode: ILLEGAL_GENERATION });
const aborted = (): Error =>
  new TransactionAbortedError("aborted", { transactionalId: "t", cause: new Error("refused"), connectionLost: false });

interface Scenario {
  readonly unit: CommitUnit;
  readonly task: { position: number; committedPosition: number };
  readonly calls: string[];
  readonly fatal: unknown[];
}

const immediateClock: Clock = { now: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() };

function scenario(
  answers: Answers,
  membership: readonly boolean[] = [],
  stableOffsets: CommitUnitOptions["stableOffsets"] = async (tasks) => tasks.map(() => 3),
): Scenario {
  const producer = new ScriptedProducer(answers);
  const proofs = [...membership];
  const fatal: unknown[] = [];
  const task = {
    queue: {
      topic: "in",
      partition: 0,
      generation: { groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null },
    },
    position: 5,
    committedPosition: 0,
    pending: null,
    settled: () => Promise.resolve(),
    drop: () => undefined,
    rewind(offset: number) {
      producer.calls.push(`rewind ${offset}`);
      task.position = offset;
      task.committedPosition = offset;
    },
  };
  const unit = new CommitUnit({
    producer: producer as unknown as BatchProducer,
    clock: immediateClock,
    logger: silentLogger,
    observer: {},
    metrics: new ProcessorMetrics(),
    commitIntervalMs: 0,
    stableOffsets,
    confirmMembership: async () => {
      producer.calls.push("confirm");
      return proofs.shift() ?? false;
    },
    requestRejoin: () => producer.calls.push("rejoin"),
    onFenced: () => producer.calls.push("fenced"),
    onFatal: (error) => fatal.push(error),
    onRunnable: () => undefined,
  });
  unit.tasks.add(task as unknown as AnyTask);
  unit.run();
  return { unit, task, calls: producer.calls, fatal };
}

/** Offsets that a transaction holds for ever; `asked` resolves once somebody waits for them. */
function heldOffsets(): { readonly stableOffsets: CommitUnitOptions["stableOffsets"]; readonly asked: Promise<void> } {
  let ask = (): void => {};
  const asked = new Promise<void>((resolve) => (ask = resolve));
  return {
    asked,
    stableOffsets: async (_tasks, signal) => {
      ask();
      signal.throwIfAborted();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    },
  };
}

const never = (): AbortSignal => new AbortController().signal;

describe("commit unit", () => {
  it("commits the positions that moved, and nothing when none did", async () => {
    const { unit, task, calls } = scenario({});
    await unit.suspend(never());
    expect(calls).toEqual(["commit 5"]);
    expect(task.committedPosition).toBe(5);
    unit.run();
    await unit.suspend(never());
    expect(calls).toEqual(["commit 5"]);
  });

  it("goes back to the committed offsets, read anew, when a transaction fails", async () => {
    const { unit, task, calls } = scenario({ commit: [aborted()] });
    await unit.suspend(never());
    expect(calls).toEqual(["commit 5", "abort", "rewind 3"]);
    expect(task.position).toBe(3);
  });

  it("takes its id back after being fenced only if the group still counts it in", async () => {
    const member = scenario({ commit: [fenced()] }, [true]);
    await member.unit.suspend(never());
    expect(member.calls).toEqual(["commit 5", "fenced", "confirm", "init", "rewind 3"]);

    const expelled = scenario({ commit: [fenced()] }, [false]);
    await expelled.unit.suspend(never());
    expect(expelled.calls).toEqual(["commit 5", "fenced", "confirm", "rejoin"]);
  });

  it("proves its membership again when taking the id back was cut off", async () => {
    const { unit, calls } = scenario({ commit: [fenced()], init: [new ConnectionError("lost")] }, [true, false]);
    await unit.suspend(never());
    expect(calls).toEqual(["commit 5", "fenced", "confirm", "init", "confirm", "rejoin"]);
  });

  it("aborts and joins again when the group has gone on without it", async () => {
    const { unit, calls } = scenario({ commit: [stale()] });
    await unit.suspend(never());
    expect(calls).toEqual(["commit 5", "abort", "rejoin"]);
  });

  it("tries an abort that was cut off again until it is answered", async () => {
    const { unit, calls } = scenario({
      commit: [aborted()],
      abort: [new ConnectionError("lost"), new ConnectionError("lost")],
    });
    await unit.suspend(never());
    expect(calls).toEqual(["commit 5", "abort", "abort", "abort", "rewind 3"]);
  });

  // A member that waits for them does not join again, and the group is held up with it or goes on without it.
  it("waits no longer for offsets that a transaction holds once the group has gone on", async () => {
    const { stableOffsets, asked } = heldOffsets();
    const { unit, calls, fatal } = scenario({ commit: [aborted()] }, [], stableOffsets);
    unit.touched();
    await asked;
    await unit.abandon();
    expect(calls).toEqual(["commit 5", "abort", "abort"]);
    expect(fatal).toEqual([]);
    expect(unit.isRunning).toBe(false);
  });

  it("waits for offsets that a transaction holds no longer than a revocation may take", async () => {
    const { stableOffsets, asked } = heldOffsets();
    const { unit, calls, fatal } = scenario({ commit: [aborted()] }, [], stableOffsets);
    const limit = new AbortController();
    const suspended = unit.suspend(limit.signal);
    await asked;
    // By then it has nothing left to do but wait.
    await new Promise((resolve) => setImmediate(resolve));
    limit.abort();
    await suspended;
    expect(calls).toEqual(["commit 5", "abort"]);
    expect(fatal).toEqual([]);
    expect(unit.isRunning).toBe(false);
  });

  it("does not wait for them at all when the time was up before", async () => {
    const { stableOffsets } = heldOffsets();
    const { unit } = scenario({ commit: [aborted()] }, [], stableOffsets);
    await unit.suspend(AbortSignal.abort());
    expect(unit.isRunning).toBe(false);
  });

  it("gives up when the same transaction is refused five times in a row", async () => {
    const { unit, task, calls, fatal } = scenario({ commit: Array.from({ length: 5 }, aborted) });
    for (let round = 1; round <= 5; round++) {
      task.position = 5;
      unit.touched();
      const rounds = (): number => calls.filter((call) => call.startsWith("rewind")).length + fatal.length;
      while (rounds() < round || (round < 5 && !unit.isRunning)) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(fatal).toHaveLength(1);
    expect(fatal[0]).toBeInstanceOf(NoProgressError);
  });
});

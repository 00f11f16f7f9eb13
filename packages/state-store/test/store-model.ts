import type { Client } from "@eos/client";
import type { TransactionParticipant } from "@eos/core";
import fc from "fast-check";
import { expect } from "vitest";
import { type SimulatedCrash, type SimulatedOutcome, SimulatedTask } from "../src/testing/simulated-task.ts";

/** What a store should be: plain collections. */
export interface Reference<M> {
  /** A copy that shares nothing that changes. */
  clone(): M;
}

/** Something that is done to a store and to its reference, with the same result. */
export interface Operation<S, M> {
  readonly name: string;
  run(store: S, reference: M, timestamp: number): Promise<void> | void;
}

export interface StoreModel<S extends R, R, M> {
  /** A process's builder: the participant, and the committed state of its task. */
  createBuilder(): TransactionParticipant<S, Client> & {
    readOnly(partition: number): { readonly store: R } | undefined;
  };
  createReference(): M;
  readonly operations: readonly fc.Arbitrary<Operation<S, M>>[];
  /** All that can be read. */
  compare(store: R, reference: M): Promise<void>;
  /** How far the record's timestamp is from the one before. */
  readonly timestampSteps: fc.Arbitrary<number>;
  /** Whether the store comes back from a compacted changelog. */
  readonly compaction: "sometimes" | "never";
  readonly runs: number;
}

/** The reference of the committed state, of the transaction that is committing, and of the one that is open. */
interface Expected<M> {
  committed: M;
  committing: M | null;
  filling: M;
  timestamp: number;
}

interface Real<S extends R, R, M> {
  readonly task: SimulatedTask<S>;
  readonly model: StoreModel<S, R, M>;
  builder: ReturnType<StoreModel<S, R, M>["createBuilder"]>;
}

type Command<S extends R, R, M> = fc.AsyncCommand<Expected<M>, Real<S, R, M>>;

/** A run that hangs is a failure that says what it was. */
const RUN_TIMEOUT_MS = 15_000;
/** On a machine that is busy there are fewer runs, or less shrinking: below the tests' own limit of a minute. */
const TIME_LIMIT_MS = 40_000;

/** Runs random operations, commits, aborts, crashes and moves against the reference. */
export async function checkModel<S extends R, R, M extends Reference<M>>(model: StoreModel<S, R, M>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands(commandsOf(model), { size: "+1" }), async (commands) => {
      const real = await startReal(model);
      await using _task = real.task;
      const reference = model.createReference();
      const expected: Expected<M> = {
        committed: reference,
        committing: null,
        filling: reference.clone(),
        timestamp: 1_000,
      };
      await fc.asyncModelRun(() => ({ model: expected, real }), commands);
    }),
    { numRuns: model.runs, timeout: RUN_TIMEOUT_MS, interruptAfterTimeLimit: TIME_LIMIT_MS },
  );
}

async function startReal<S extends R, R, M>(model: StoreModel<S, R, M>): Promise<Real<S, R, M>> {
  let current = model.createBuilder();
  const task = await SimulatedTask.start(() => (current = model.createBuilder()));
  return {
    task,
    model,
    get builder() {
      return current;
    },
  } as Real<S, R, M>;
}

function commandsOf<S extends R, R, M extends Reference<M>>(
  model: StoreModel<S, R, M>,
): fc.Arbitrary<Command<S, R, M>>[] {
  const { operations, timestampSteps, compaction } = model;
  const outcome = fc.constantFrom<SimulatedOutcome>(
    "committed",
    "committed",
    "aborted",
    "unknownCommitted",
    "unknownAborted",
  );
  const crash: fc.Arbitrary<SimulatedCrash> = fc.record({
    outcome: fc.constantFrom("commit", "abort"),
    markers: fc.constantFrom("inTime", "late"),
    restoreDiesAfterChunks: fc.constantFrom(0, 0, 1, 2),
  });
  // Most of what happens to a store is that it is used.
  const operation = fc.tuple(fc.oneof(...operations), timestampSteps).map((each) => operate<S, R, M>(...each));
  return [
    ...repeated(12, operation),
    ...repeated(2, fc.constant(commit<S, R, M>())),
    ...repeated(3, fc.constant(beginCommit<S, R, M>())),
    ...repeated(
      4,
      outcome.map((each) => endCommit<S, R, M>(each)),
    ),
    ...repeated(
      2,
      crash.map((each) => crashed<S, R, M>(each)),
    ),
    fc.constant(abort<S, R, M>()),
    fc.constant(restarted<S, R, M>("restart")),
    fc.constant(restarted<S, R, M>("move")),
    ...(compaction === "sometimes" ? [fc.constant(compact<S, R, M>())] : []),
  ];
}

function repeated<T>(times: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T>[] {
  return Array.from({ length: times }, () => arbitrary);
}

function command<S extends R, R, M>(
  name: string,
  run: (expected: Expected<M>, real: Real<S, R, M>) => Promise<void>,
  check: (expected: Readonly<Expected<M>>) => boolean = () => true,
): Command<S, R, M> {
  return {
    check,
    async run(expected, real) {
      await run(expected, real);
      const { task, model, builder } = real;
      expect(task.failure).toBeNull();
      await model.compare(task.state, expected.filling);
      await model.compare(builder.readOnly(0)!.store, expected.committed);
    },
    toString: () => name,
  };
}

function operate<S extends R, R, M>({ name, run }: Operation<S, M>, step: number): Command<S, R, M> {
  return command(`${name} after ${step} ms`, async (expected, { task }) => {
    expected.timestamp = Math.max(expected.timestamp + step, 0);
    task.at(expected.timestamp);
    await run(task.state, expected.filling, expected.timestamp);
  });
}

function commit<S extends R, R, M extends Reference<M>>(): Command<S, R, M> {
  return command(
    "commit",
    async (expected, { task }) => {
      await task.commit();
      expected.committed = expected.filling.clone();
    },
    isNotCommitting,
  );
}

function beginCommit<S extends R, R, M extends Reference<M>>(): Command<S, R, M> {
  return command(
    "beginCommit",
    async (expected, { task }) => {
      task.beginCommit();
      expected.committing = expected.filling;
      expected.filling = expected.filling.clone();
    },
    isNotCommitting,
  );
}

function endCommit<S extends R, R, M extends Reference<M>>(outcome: SimulatedOutcome): Command<S, R, M> {
  return command(
    `endCommit ${outcome}`,
    async (expected, { task }) => {
      await task.endCommit(outcome);
      if (outcome === "committed" || outcome === "unknownCommitted") expected.committed = expected.committing!;
      expected.committing = null;
      if (outcome !== "committed") expected.filling = expected.committed.clone();
    },
    isCommitting,
  );
}

function abort<S extends R, R, M extends Reference<M>>(): Command<S, R, M> {
  return command("abort", async (expected, { task }) => {
    await task.abort();
    fallBack(expected);
  });
}

function crashed<S extends R, R, M extends Reference<M>>(crash: SimulatedCrash): Command<S, R, M> {
  return command(
    `crash ${JSON.stringify(crash)}`,
    async (expected, { task }) => {
      await task.crash(crash);
      if (crash.outcome === "commit") expected.committed = expected.committing!;
      fallBack(expected);
    },
    (expected) => crash.outcome !== "commit" || isCommitting(expected),
  );
}

function restarted<S extends R, R, M extends Reference<M>>(how: "restart" | "move"): Command<S, R, M> {
  return command(how, async (expected, { task }) => {
    await task[how]();
    fallBack(expected);
  });
}

function compact<S extends R, R, M>(): Command<S, R, M> {
  return command("compact", async (_expected, { task }) => {
    task.changelog.compact();
  });
}

function isCommitting<M>({ committing }: Readonly<Expected<M>>): boolean {
  return committing !== null;
}

function isNotCommitting<M>({ committing }: Readonly<Expected<M>>): boolean {
  return committing === null;
}

function fallBack<M extends Reference<M>>(expected: Expected<M>): void {
  expected.committing = null;
  expected.filling = expected.committed.clone();
}

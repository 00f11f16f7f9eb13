import { readAirports } from "../airports.ts";
import { type FlightRow, readFlights } from "../dataset.ts";
import { checkAsStranger, type Findings } from "./check-as-stranger.ts";
import type { CleanUp } from "./clean-up.ts";
import { crashInTransaction } from "./crash.ts";
import type { DemoOptions } from "./demo-options.ts";
import { loadFlights } from "./flight-loader.ts";
import { ProcessorProcess } from "./processor-process.ts";
import { count, type Screen } from "./screen.ts";
import { setStage, type Stage } from "./stage.ts";
import type { InputPosition, OutputPosition } from "./topics-view.ts";
import { until } from "./until.ts";
import { describeDifferences, verdict } from "./verdict.ts";

const LOAD_MS = 8_000;
/** The crash falls into the stream of flights. */
const CRASH_AFTER_SHARE = 0.3;
/** Long transactions whose batches leave early: so there are offsets that are written and not yet committed. */
const COMMIT_INTERVAL_MS = 1_000;
const MAX_BATCH_BYTES = 8_192;
/** The least that brokers allow as shipped: after that the dead processor's partitions go to others. */
const SESSION_TIMEOUT_MS = 6_000;
const PATIENCE_MS = 60_000;

interface Scene {
  readonly screen: Screen;
  readonly stage: Stage;
  readonly cleanUp: CleanUp;
  readonly signal: AbortSignal;
  readonly startProcessor: (number: number) => Promise<ProcessorProcess>;
}

interface Aftermath {
  /** The processor that came for the killed one. */
  readonly successor: ProcessorProcess;
  /** What the killed one had written in its open transaction. */
  readonly uncommitted: readonly OutputPosition[];
}

/**
 * Carries the demo out. Whatever it starts is owned by `cleanUp`.
 * @returns the exit code: 0 when every flight arrived exactly once, otherwise 1
 * @throws Error when it could not be carried through, which says nothing about the flights
 */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  cleanUp: CleanUp,
  signal: AbortSignal,
): Promise<number> {
  const rows = (await readFlights(options.dataset)).slice(0, options.records);
  screen.line(`${count(rows.length, "real US flights")} through a real Kafka, exactly once, with a crash on the way`);
  const stage = await setStage(screen, cleanUp);
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const startProcessor = (number: number): Promise<ProcessorProcess> =>
    cleanUp.own(
      () => new ProcessorProcess(`processor ${number}`, processorArguments(stage), fail),
      (processor) => processor.kill(),
    );
  return Promise.race([play({ screen, stage, cleanUp, signal, startProcessor }, rows), failed]);
}

async function play(scene: Scene, rows: readonly FlightRow[]): Promise<number> {
  const [first, second] = await startTwo(scene);
  const { successor, uncommitted } = await loadWithCrash(scene, rows, first);
  await catchUp(scene, [second, successor]);
  const findings = await check(scene, rows, uncommitted);
  scene.screen.line(`\nDone in ${scene.screen.elapsed}.\n${verdict(rows.length, findings)}`);
  return findings.differences.length === 0 ? 0 : 1;
}

function processorArguments({ brokers, applicationId, input, output }: Stage): string[] {
  return [
    `--brokers=${brokers.join(",")}`,
    `--application-id=${applicationId}`,
    `--input=${input}`,
    `--output=${output}`,
    `--commit-interval-ms=${COMMIT_INTERVAL_MS}`,
    `--max-batch-bytes=${MAX_BATCH_BYTES}`,
    `--session-timeout-ms=${SESSION_TIMEOUT_MS}`,
    "--trace-source",
  ];
}

async function startTwo({ screen, startProcessor, signal }: Scene): Promise<[ProcessorProcess, ProcessorProcess]> {
  const running = screen.phase("Processors", "two processes of one group join flights with their airports");
  const both = await Promise.all([startProcessor(1), startProcessor(2)]);
  const [first, second] = both;
  const share = (): object | string => {
    const isShared = first.partitions.length > 0 && second.partitions.length > 0;
    if (isShared && first.generation === second.generation) return both;
    const states = both.map(({ name, state }) => `${name} is ${state}`);
    return `the processors have not shared the partitions among them: ${states.join(", ")}`;
  };
  await until(share, { timeoutMs: PATIENCE_MS, signal });
  for (const { name, pid, partitions } of both) screen.note(`${name} (pid ${pid}): ${partitions.join(" ")}`);
  running("both run");
  return both;
}

async function loadWithCrash(scene: Scene, rows: readonly FlightRow[], victim: ProcessorProcess): Promise<Aftermath> {
  const { screen, stage, signal } = scene;
  const written = screen.phase("Flights", `into ${stage.input}, as a stream of ${LOAD_MS / 1_000} seconds`);
  const bar = screen.bar(rows.length, "flights");
  let loaded = 0;
  const loading = loadFlights(rows, {
    brokers: stage.brokers,
    topic: stage.input,
    partitions: stage.partitions,
    transactionalId: `${stage.applicationId}-loader`,
    durationMs: LOAD_MS,
    signal,
    onProgress: (now) => {
      loaded = now;
      bar.update(now);
    },
  }).then(() => {
    bar.stop();
    written(`all ${count(rows.length, "flights")} are in ${stage.input}`);
  });
  const isUnderWay = (): object | string => (loaded >= rows.length * CRASH_AFTER_SHARE ? rows : "no flights arrive");
  const crashing = until(isUnderWay, { timeoutMs: PATIENCE_MS, signal }).then(() => crash(scene, victim));
  try {
    const [aftermath] = await Promise.all([crashing, loading]);
    return aftermath;
  } finally {
    bar.stop();
  }
}

async function crash({ screen, stage, signal, startProcessor }: Scene, victim: ProcessorProcess): Promise<Aftermath> {
  const { view, output } = stage;
  screen.phase("Crash", `as soon as ${output} shows from outside that a transaction of ${victim.name} is open`);
  const uncommitted = await crashInTransaction(victim, view, {
    timeoutMs: PATIENCE_MS,
    signal,
    onProgress: (text) => screen.note(text),
  });
  const killedMs = performance.now();
  for (const { partition, stable, end } of uncommitted) {
    screen.note(`${output}-${partition}: offsets ${stable} to ${end - 1} are written and not committed`);
  }
  screen.note("it is killed (SIGKILL) in that state");
  const before = await view.input();
  const successor = await startProcessor(3);
  screen.note(`processor 3 (pid ${successor.pid}) is started`);
  const takeOver = async (): Promise<object | string> => {
    const now = await view.input();
    const waiting = uncommitted.filter(
      ({ partition }) => committedOf(now, partition) <= committedOf(before, partition),
    );
    return waiting.length === 0 ? now : `nobody takes ${waiting.length} partitions of ${victim.name} over`;
  };
  await until(takeOver, { timeoutMs: PATIENCE_MS, signal });
  const seconds = ((performance.now() - killedMs) / 1_000).toFixed(1);
  screen.note(
    `its partitions are processed and committed again ${seconds} s after the kill (the session timeout is 6 s)`,
  );
  return { successor, uncommitted };
}

function committedOf(positions: readonly InputPosition[], partition: number): number {
  return positions[partition]?.committed ?? -1;
}

async function catchUp({ screen, stage, signal }: Scene, processors: readonly ProcessorProcess[]): Promise<void> {
  const { view, input, output } = stage;
  const caughtUp = screen.phase("Catching up", `until the group has committed everything in ${input}`);
  const reachTheEnd = async (): Promise<object | string> => {
    const behind = (await view.input()).filter(({ committed, end }) => committed !== end);
    const places = behind.map(({ partition, committed, end }) => `${input}-${partition} at ${committed} of ${end}`);
    return behind.length === 0 ? behind : `the group has not come to the end: ${places.join(", ")}`;
  };
  await until(reachTheEnd, { timeoutMs: PATIENCE_MS, signal });
  // A transaction is decided before its markers are everywhere; a reader sees its records only after they are.
  const beDecided = async (): Promise<object | string> => {
    const open = (await view.output()).filter(({ stable, end }) => stable !== end);
    const places = open.map(({ partition, stable, end }) => `${output}-${partition} from ${stable} to ${end}`);
    return open.length === 0 ? open : `transactions remain open: ${places.join(", ")}`;
  };
  await until(beDecided, { timeoutMs: PATIENCE_MS, signal });
  await Promise.all(processors.map((processor) => processor.stop()));
  caughtUp(
    `lag 0 in all ${stage.partitions} partitions; ${processors.map(({ name }) => name).join(" and ")} ended cleanly`,
  );
}

async function check(
  { screen, stage, cleanUp, signal }: Scene,
  rows: readonly FlightRow[],
  uncommitted: readonly OutputPosition[],
): Promise<Findings> {
  const checked = screen.phase("Check", `Kafka's own console consumer reads ${stage.output}, read-committed`);
  const airports = await readAirports();
  const { bootstrapServers } = stage;
  const task = { screen, cleanUp, signal, bootstrapServers, topics: stage, rows, airports, uncommitted };
  const findings = await checkAsStranger(task);
  const { records, differences } = findings;
  for (const line of describeDifferences(differences)) screen.note(line);
  if (differences.length > 0) {
    stage.keepTopics();
    checked(`${count(records, "records")}, ${count(differences.length, "differences")} from the file`);
  } else {
    const aborted = uncommitted.reduce((sum, { stable, end }) => sum + end - stable, 0);
    checked(`${count(records, "records")}: each row of the file once, in order, and enriched as it must be`);
    screen.note(`the ${count(aborted, "records")} of the killed transaction are not among them`);
  }
  return findings;
}

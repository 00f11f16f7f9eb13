import { readFlights } from "../dataset.ts";
import { catchUp } from "./catch-up.ts";
import { checkFlights } from "./check-flights.ts";
import { checkTotals } from "./check-totals.ts";
import type { CleanUp } from "./clean-up.ts";
import { crashEnrichment, crashTotals } from "./crashes.ts";
import type { DemoOptions } from "./demo-options.ts";
import { loadFlights } from "./flight-loader.ts";
import type { ProcessorProcess } from "./processor-process.ts";
import { processStarter, type Scene } from "./scene.ts";
import { count, type Screen } from "./screen.ts";
import { setStage } from "./stage.ts";
import { TotalsComparison } from "./totals-comparison.ts";
import type { OutputPosition } from "./topics-view.ts";
import { until } from "./until.ts";
import { stateVerdict, verdict } from "./verdict.ts";

const LOAD_MS = 8_000;
/** The crashes fall into the stream of flights. */
const CRASH_AFTER_SHARE = 0.3;
const PATIENCE_MS = 60_000;

/** Who is running. */
interface Cast {
  readonly enrichment: readonly ProcessorProcess[];
  /** `null`: there are no routes to count. */
  readonly totals: ProcessorProcess | null;
}

interface Aftermath extends Cast {
  /** What the killed processor 1 had written in its open transaction. */
  readonly uncommitted: readonly OutputPosition[];
}

/**
 * Carries the demo out. Whatever it starts is owned by `cleanUp`.
 * @returns the exit code: 0 when every flight arrived, and was counted, exactly once, otherwise 1
 * @throws Error when it could not be carried through, which says nothing about the flights
 */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  cleanUp: CleanUp,
  signal: AbortSignal,
): Promise<number> {
  const rows = (await readFlights(options.dataset)).slice(0, options.records);
  screen.line(`${count(rows.length, "real US flights")} through a real Kafka, exactly once, with crashes`);
  const stage = await setStage(screen, cleanUp);
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const hasRoutes = rows.some(({ flight }) => flight.destination !== undefined);
  const scene = { screen, stage, cleanUp, signal, rows, hasRoutes, ...processStarter(stage, cleanUp, fail) };
  return Promise.race([play(scene), failed]);
}

async function play(scene: Scene): Promise<number> {
  const { screen, stage, rows } = scene;
  const cast = await startAll(scene);
  const { enrichment, totals, uncommitted } = await loadWithCrashes(scene, cast);
  await catchUp(scene, enrichment, totals);
  const comparison = new TotalsComparison(stage.totals.input, stage.totals.output);
  const flights = await checkFlights(scene, uncommitted, (record) => comparison.addFlight(record));
  const state = totals === null ? null : await checkTotals(scene, comparison);
  const isRight = flights.differences.length === 0 && (state === null || state.differences.length === 0);
  if (!isRight) stage.keepTopics();
  const verdicts = [...(state === null ? [] : [stateVerdict(state)]), verdict(rows.length, flights)];
  // The last line is the one that people look at: it is never a good one above which there is a bad one.
  if (flights.differences.length === 0 && !isRight) verdicts.reverse();
  screen.line(`\nDone in ${screen.elapsed}.\n${verdicts.join("\n")}`);
  return isRight ? 0 : 1;
}

async function startAll({ screen, startEnrichment, startTotals, signal, hasRoutes }: Scene): Promise<Cast> {
  const others = hasRoutes ? ", one counts them per route" : "";
  const running = screen.phase("Processors", `two join flights with their airports${others}`);
  const [first, second, totals] = await Promise.all([
    startEnrichment(1),
    startEnrichment(2),
    hasRoutes ? startTotals() : null,
  ]);
  const all = totals === null ? [first, second] : [first, second, totals];
  const share = (): object | string => {
    const isShared = all.every(({ partitions }) => partitions.length > 0);
    if (isShared && first.generation === second.generation) return all;
    const states = all.map(({ name, state }) => `${name} is ${state}`);
    return `the processors have not shared the partitions among them: ${states.join(", ")}`;
  };
  await until(share, { timeoutMs: PATIENCE_MS, signal });
  for (const { name, pid, partitions } of [first, second]) screen.note(`${name} (pid ${pid}): ${partitions.join(" ")}`);
  if (totals !== null) screen.note(`${totals.name} (pid ${totals.pid}): all of the enriched flights`);
  running(totals === null ? "both run" : "all run");
  return { enrichment: [first, second], totals };
}

async function loadWithCrashes(scene: Scene, cast: Cast): Promise<Aftermath> {
  const { screen, stage, signal, rows } = scene;
  const { applicationId, input } = stage.enrichment;
  const written = screen.phase("Flights", `into ${input}, as a stream of ${LOAD_MS / 1_000} seconds`);
  const bar = screen.bar(rows.length, "flights");
  let loaded = 0;
  const loading = loadFlights(rows, {
    brokers: stage.brokers,
    topic: input,
    partitions: stage.partitions,
    transactionalId: `${applicationId}-loader`,
    durationMs: LOAD_MS,
    signal,
    onProgress: (now) => {
      loaded = now;
      bar.update(now);
    },
  }).then(() => {
    bar.stop();
    written(`all ${count(rows.length, "flights")} are in ${input}`);
  });
  const isUnderWay = (): object | string => (loaded >= rows.length * CRASH_AFTER_SHARE ? rows : "no flights arrive");
  const crashing = until(isUnderWay, { timeoutMs: PATIENCE_MS, signal }).then(() => crash(scene, cast));
  try {
    const [aftermath] = await Promise.all([crashing, loading]);
    return aftermath;
  } finally {
    bar.stop();
  }
}

/** Both at nearly the same time; the second one reads what the survivors of the first go on to write. */
async function crash(scene: Scene, { enrichment, totals }: Cast): Promise<Aftermath> {
  const [first, second] = enrichment as readonly [ProcessorProcess, ProcessorProcess];
  const flights = await crashEnrichment(scene, first);
  const counted = totals === null ? null : await crashTotals(scene, totals);
  await Promise.all([flights.takenOver, counted?.takenOver]);
  return {
    enrichment: [second, flights.successor],
    totals: counted?.successor ?? null,
    uncommitted: flights.uncommitted,
  };
}

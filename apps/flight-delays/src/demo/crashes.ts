import { crashInTransaction } from "./crash.ts";
import type { ProcessorProcess } from "./processor-process.ts";
import type { Scene } from "./scene.ts";
import { count } from "./screen.ts";
import type { InputPosition, OutputPosition } from "./topics-view.ts";
import { until } from "./until.ts";

const PATIENCE_MS = 60_000;

/** What a crash leaves behind. */
export interface Crash {
  /** The processor that came for the killed one. */
  readonly successor: ProcessorProcess;
  /** What the killed one had written in its open transaction. */
  readonly uncommitted: readonly OutputPosition[];
  /** Resolves when its work goes on. */
  readonly takenOver: Promise<void>;
}

/** Kills a processor of flight-delays, and starts another one. */
export async function crashEnrichment(scene: Scene, victim: ProcessorProcess): Promise<Crash> {
  const { screen, stage, signal, startEnrichment } = scene;
  const { view, output } = stage.enrichment;
  screen.phase("Crash", `as soon as ${victim.name} has a transaction open, seen from outside`);
  const partitions = new Set(victim.partitions.map((name) => Number(name.slice(name.lastIndexOf("-") + 1))));
  const uncommitted = await crashInTransaction(
    victim,
    // Each is fed by the input partition of the same number alone.
    async () => (await view.output()).filter(({ partition }) => partitions.has(partition)),
    { timeoutMs: PATIENCE_MS, signal, onProgress: (text) => screen.note(text) },
  );
  const killedMs = performance.now();
  for (const { partition, stable, end } of uncommitted) {
    screen.note(`${output}-${partition}: offsets ${stable} to ${end - 1}: written, not committed`);
  }
  screen.note("it is killed (SIGKILL) in that state");
  const before = await view.input();
  const successor = await startEnrichment(3);
  screen.note(`${successor.name} (pid ${successor.pid}) is started`);
  const takeOver = async (): Promise<object | string> => {
    const now = await view.input();
    const waiting = uncommitted.filter(
      ({ partition }) => committedOf(now, partition) <= committedOf(before, partition),
    );
    return waiting.length === 0 ? now : `nobody takes ${waiting.length} partitions of ${victim.name} over`;
  };
  const takenOver = until(takeOver, { timeoutMs: PATIENCE_MS, signal }).then(() => {
    screen.note(`${victim.name}'s partitions go on after ${secondsSince(killedMs)} s (the session timeout is 6 s)`);
  });
  return watched({ successor, uncommitted, takenOver });
}

/** Kills route-totals, and starts it again on the same state directory. */
export async function crashTotals(scene: Scene, victim: ProcessorProcess): Promise<Crash> {
  const { screen, stage, signal, startTotals } = scene;
  const { view, changelogView } = stage.totals;
  screen.phase("Crash", `as soon as ${victim.name} has a transaction open, too`);
  const uncommitted = await crashInTransaction(victim, () => view.output(), {
    timeoutMs: PATIENCE_MS,
    signal,
    onProgress: (text) => screen.note(text),
  });
  const killedMs = performance.now();
  const logged = (await changelogView.output()).filter(({ stable, end }) => stable < end);
  screen.note(
    `${count(recordsIn(uncommitted), "rows")} and ${count(recordsIn(logged), "changes of its store")}: written, not committed`,
  );
  screen.note("it is killed (SIGKILL) in that state");
  const successor = await startTotals();
  screen.note(`${successor.name} (pid ${successor.pid}) is started again, on the same LevelDB`);
  const comeBack = (): object | string =>
    successor.stored === null ? `${successor.name} does not come back` : successor;
  const takenOver = until(comeBack, { timeoutMs: PATIENCE_MS, signal }).then(async () => {
    const offsets = (await changelogView.output()).reduce((sum, { stable }) => sum + stable, 0);
    screen.note(`${successor.name} is back after ${secondsSince(killedMs)} s, its state from LevelDB:`);
    screen.note(`${successor.stored} (of ${count(offsets, "offsets")})`);
  });
  return watched({ successor, uncommitted, takenOver });
}

/** It is awaited only after the next crash: what fails before that is no unhandled rejection. */
function watched(crash: Crash): Crash {
  crash.takenOver.catch(() => undefined);
  return crash;
}

function committedOf(positions: readonly InputPosition[], partition: number): number {
  return positions[partition]?.committed ?? -1;
}

/** An open transaction of one writer: no markers are among them. */
function recordsIn(open: readonly OutputPosition[]): number {
  return open.reduce((sum, { stable, end }) => sum + end - stable, 0);
}

function secondsSince(ms: number): string {
  return ((performance.now() - ms) / 1_000).toFixed(1);
}

import type { ProcessorProcess } from "./processor-process.ts";
import type { Scene } from "./scene.ts";
import type { TopicsView } from "./topics-view.ts";
import { until, type UntilOptions } from "./until.ts";

const PATIENCE_MS = 60_000;

/** Waits until everything is processed and decided, app after app, and ends the processors. */
export async function catchUp(
  { screen, stage, signal }: Scene,
  enrichment: readonly ProcessorProcess[],
  totals: ProcessorProcess | null,
): Promise<void> {
  const options = { timeoutMs: PATIENCE_MS, signal };
  const { input, view } = stage.enrichment;
  const caughtUp = screen.phase("Catching up", `until the group has committed everything in ${input}`);
  await reachTheEnd(view, options);
  await beDecided(view, options);
  await Promise.all(enrichment.map((processor) => processor.stop()));
  if (totals !== null) {
    await reachTheEnd(stage.totals.view, options);
    await beDecided(stage.totals.view, options);
    await beDecided(stage.totals.changelogView, options);
    await totals.stop();
  }
  caughtUp(`lag 0 in all ${stage.partitions} partitions; all processors ended cleanly`);
}

async function reachTheEnd(view: TopicsView, options: UntilOptions): Promise<void> {
  await until(async () => {
    const behind = (await view.input()).filter(({ committed, end }) => committed < end);
    const places = behind.map(({ partition, committed, end }) => `partition ${partition} at ${committed} of ${end}`);
    return behind.length === 0 ? behind : `the group has not come to the end: ${places.join(", ")}`;
  }, options);
}

/** A transaction is decided before its markers are everywhere; a reader sees its records only after they are. */
async function beDecided(view: TopicsView, options: UntilOptions): Promise<void> {
  await until(async () => {
    const open = (await view.output()).filter(({ stable, end }) => stable !== end);
    const places = open.map(({ partition, stable, end }) => `partition ${partition} from ${stable} to ${end}`);
    return open.length === 0 ? open : `transactions remain open: ${places.join(", ")}`;
  }, options);
}

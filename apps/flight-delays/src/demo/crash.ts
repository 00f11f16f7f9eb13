import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessorProcess } from "./processor-process.ts";
import type { OutputPosition, TopicsView } from "./topics-view.ts";

/** A second look after this long must show the same: what the frozen processor had sent before has arrived by then. */
const SECOND_LOOK_MS = 300;
const LOOKS = 5;
const RUN_ON_MS = 100;

/**
 * Kills a processor while a transaction of it is open, for certain:
 * 1. It is frozen, so it can neither commit nor abort any more.
 * 2. The output partitions it writes to (each is fed by the input partition of the same number alone) are looked at
 *    from outside until nothing moves: offsets between the last stable offset and the end belong to its transaction.
 * 3. If there are none it is thawed and frozen again later; otherwise it is killed as it is.
 *
 * @returns per partition the offsets that it wrote and did not commit, from `stable` to before `end`
 */
export async function crashInTransaction(
  victim: ProcessorProcess,
  view: TopicsView,
  signal: AbortSignal,
): Promise<OutputPosition[]> {
  for (;;) {
    victim.freeze();
    const open = await openTransaction(victim, view, signal);
    if (open.length > 0) {
      await victim.kill();
      return open;
    }
    victim.thaw();
    await sleep(RUN_ON_MS, undefined, { signal });
  }
}

async function openTransaction(
  { partitions }: ProcessorProcess,
  view: TopicsView,
  signal: AbortSignal,
): Promise<OutputPosition[]> {
  const numbers = new Set(partitions.map((name) => Number(name.slice(name.lastIndexOf("-") + 1))));
  const look = async (): Promise<OutputPosition[]> =>
    (await view.output()).filter(({ partition, stable, end }) => numbers.has(partition) && stable < end);
  let before = await look();
  for (let looks = 1; looks < LOOKS; looks += 1) {
    await sleep(SECOND_LOOK_MS, undefined, { signal });
    const now = await look();
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    before = now;
  }
  return [];
}

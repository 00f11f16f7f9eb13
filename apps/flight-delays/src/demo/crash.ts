import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessorProcess } from "./processor-process.ts";
import type { OutputPosition } from "./topics-view.ts";
import { until, type UntilOptions } from "./until.ts";

/** A transaction may be open for a few milliseconds only. */
const LOOK_INTERVAL_MS = 5;
/** A second look after this long must show the same: what the frozen processor had sent before has arrived by then. */
const SECOND_LOOK_MS = 300;
const LOOKS = 5;

/**
 * Kills a processor while a transaction of it is open, for certain:
 * 1. The output partitions that nobody else writes to are watched from outside until there is an end behind the last
 *    stable offset: the offsets between belong to its transaction.
 * 2. It is frozen, so it can neither commit nor abort any more.
 * 3. What it had sent before may still decide the transaction, so they are looked at until nothing moves.
 * 4. If the transaction is over by then, it is thawed and everything begins anew; otherwise it is killed as it is.
 *
 * @param look - how far these partitions are
 * @returns per partition the offsets that it wrote and did not commit, from `stable` to before `end`
 */
export async function crashInTransaction(
  victim: ProcessorProcess,
  look: () => Promise<readonly OutputPosition[]>,
  options: UntilOptions & { readonly onProgress: (text: string) => void },
): Promise<OutputPosition[]> {
  const openTransaction = async (): Promise<OutputPosition[]> =>
    (await look()).filter(({ stable, end }) => stable < end);
  const watch = async (): Promise<OutputPosition[] | string> => {
    const open = await openTransaction();
    return open.length > 0 ? open : `no open transaction of ${victim.name} is to be seen`;
  };
  for (;;) {
    await until(watch, { ...options, intervalMs: LOOK_INTERVAL_MS });
    victim.freeze();
    options.onProgress(`${victim.name} (pid ${victim.pid}) is frozen (SIGSTOP)`);
    const open = await settled(openTransaction, options.signal);
    if (open.length > 0) {
      await victim.kill();
      return open;
    }
    await victim.thaw();
    options.onProgress("it had committed just before, and goes on");
  }
}

/** What two looks in a row show; nothing when it goes on changing. */
async function settled(look: () => Promise<OutputPosition[]>, signal: AbortSignal): Promise<OutputPosition[]> {
  let before = await look();
  for (let looks = 1; looks < LOOKS; looks += 1) {
    await sleep(SECOND_LOOK_MS, undefined, { signal });
    const now = await look();
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    before = now;
  }
  return [];
}

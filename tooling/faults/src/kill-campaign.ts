import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "./random.ts";
import type { WorkerProcess, WorkerReport } from "./worker-process.ts";

export interface KillCampaignOptions<E extends WorkerReport, W extends WorkerProcess<E>> {
  readonly workers: number;
  readonly kills: number;
  readonly random: Random;
  readonly start: () => W;
  /** Whether the worker, which is frozen, holds a transaction open at the broker. */
  readonly isTransactionHeld: (worker: W) => Promise<boolean>;
  /** Between the death of a worker and the start of the next one; `kill` counts from 1. */
  readonly killed?: (worker: W, kill: number) => Promise<void>;
}

/** What was done to the workers, and what they made of it. */
export interface KillReport {
  readonly kills: number;
  /** Kills of a process that had a transaction open at the broker. */
  readonly open: number;
  /** How long after each kill all partitions were assigned anew and committed again, in milliseconds; ascending. */
  readonly recoveriesMs: readonly number[];
  readonly rebalances: number;
  readonly fences: number;
  readonly aborts: number;
}

/** Some kills fall into the rebalance that the one before has caused. */
const HASTE = 0.2;
const MOMENT_MS = 1_200;
const RECOVERY_LIMIT_MS = 30_000;

/**
 * Keeps some workers running and kills one of them (SIGKILL) at random moments, putting another in its place at once.
 * Workers report `state` with `next`, `committed`, `rebalanced`, `fenced` and `aborted`. Those that are left at the end
 * are closed cleanly by `finish`.
 */
export class KillCampaign<
  E extends WorkerReport,
  W extends WorkerProcess<E> = WorkerProcess<E>,
> implements AsyncDisposable {
  readonly #options: KillCampaignOptions<E, W>;
  readonly #all: W[] = [];
  /** By their places. */
  readonly #alive: W[] = [];

  constructor(options: KillCampaignOptions<E, W>) {
    this.#options = options;
  }

  /** All that were started, in the order of their starts. */
  get workers(): readonly W[] {
    return this.#all;
  }

  /** Those that were neither killed nor closed. */
  get alive(): readonly W[] {
    return this.#alive;
  }

  async run(): Promise<KillReport> {
    const { workers, kills, random, isTransactionHeld, killed } = this.#options;
    for (let place = 0; place < workers; place++) await this.#start(place).waitFor(isRunning);
    const recoveriesMs: number[] = [];
    let open = 0;
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(random.below(MOMENT_MS));
      const place = random.below(this.#alive.length);
      const victim = this.#alive[place] as W;
      // Frozen, so that what is seen of its transaction is what it dies with.
      victim.freeze();
      if (await isTransactionHeld(victim)) open++;
      await victim.kill();
      const killedMs = Date.now();
      await killed?.(victim, kill);
      this.#start(place);
      if (random.next() < HASTE) continue;
      await this.#recovered(killedMs);
      recoveriesMs.push(Date.now() - killedMs);
    }
    await this.#recovered(Date.now());
    return {
      kills,
      open,
      recoveriesMs: recoveriesMs.toSorted((a, b) => a - b),
      rebalances: this.#count("rebalanced"),
      fences: this.#count("fenced"),
      aborts: this.#count("aborted"),
    };
  }

  /** SIGTERM to whoever is left. @throws Error when one does not end cleanly */
  async finish(): Promise<void> {
    for (const worker of this.#alive.splice(0)) {
      const code = await worker.terminate();
      if (code !== 0) throw new Error(`a worker ended with exit code ${code}:\n${worker.log}`);
    }
  }

  /** Ends everything at once, for tests that failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#alive.splice(0).map((worker) => worker.kill()));
  }

  #start(place: number): W {
    const worker = this.#options.start();
    this.#all.push(worker);
    this.#alive[place] = worker;
    return worker;
  }

  /** Every worker that lives has been assigned partitions and committed since `sinceMs`. */
  async #recovered(sinceMs: number): Promise<void> {
    await Promise.all(
      this.#alive.map((worker) =>
        worker.waitFor(({ event, atMs }) => event === "committed" && atMs >= sinceMs, { timeoutMs: RECOVERY_LIMIT_MS }),
      ),
    );
  }

  #count(name: string): number {
    return this.#all.reduce((sum, worker) => sum + worker.count(name), 0);
  }
}

function isRunning(report: WorkerReport): boolean {
  return report.event === "state" && (report as { readonly next?: unknown }).next === "RUNNING";
}

/** For the console line of a run. */
export function describeReport({ kills, open, recoveriesMs, rebalances, fences, aborts }: KillReport): string {
  const median = recoveriesMs[Math.floor(recoveriesMs.length / 2)];
  return (
    `kills=${kills} open=${open} recoveries=${recoveriesMs.length} (median ${median} ms, most ${recoveriesMs.at(-1)} ms) ` +
    `rebalances=${rebalances} fences=${fences} aborts=${aborts}`
  );
}

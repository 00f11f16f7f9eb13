import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@eos/client";
import { CopyWorker, type CopyWorkerOptions } from "./copy-worker.ts";
import { isTransactionHeld } from "./open-transaction.ts";
import type { Random } from "./random.ts";

export interface KillCampaignOptions {
  readonly client: Client;
  readonly worker: CopyWorkerOptions;
  readonly workers: number;
  readonly kills: number;
  readonly random: Random;
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
 * The workers that are left at the end are closed cleanly by `finish`.
 */
export class KillCampaign {
  readonly #options: KillCampaignOptions;
  readonly #all: CopyWorker[] = [];
  readonly #alive: CopyWorker[] = [];

  constructor(options: KillCampaignOptions) {
    this.#options = options;
  }

  async run(): Promise<KillReport> {
    const { client, worker, workers, kills, random } = this.#options;
    for (let index = 0; index < workers; index++) await this.#start().running();
    const recoveriesMs: number[] = [];
    let open = 0;
    for (let kill = 0; kill < kills; kill++) {
      await sleep(random.below(MOMENT_MS));
      const victim = this.#alive.splice(random.below(this.#alive.length), 1)[0] as CopyWorker;
      // Frozen, so that what is seen of its transaction is what it dies with.
      victim.freeze();
      if (await isTransactionHeld(client, worker.output, 2 * (worker.commitIntervalMs ?? 100))) open++;
      await victim.kill();
      const killedMs = Date.now();
      this.#start();
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

  #start(): CopyWorker {
    const worker = new CopyWorker(this.#options.worker);
    this.#all.push(worker);
    this.#alive.push(worker);
    return worker;
  }

  /** Every worker that lives has been assigned partitions and committed since `sinceMs`. */
  async #recovered(sinceMs: number): Promise<void> {
    await Promise.all(
      this.#alive.map((worker) =>
        worker.waitFor((event) => event.event === "committed" && event.atMs >= sinceMs, {
          timeoutMs: RECOVERY_LIMIT_MS,
        }),
      ),
    );
  }

  #count(name: "rebalanced" | "fenced" | "aborted"): number {
    return this.#all.reduce((sum, worker) => sum + worker.count(name), 0);
  }
}

/** For the console line of a run. */
export function describeReport({ kills, open, recoveriesMs, rebalances, fences, aborts }: KillReport): string {
  const median = recoveriesMs[Math.floor(recoveriesMs.length / 2)];
  return (
    `kills=${kills} open=${open} recoveries=${recoveriesMs.length} (median ${median} ms, most ${recoveriesMs.at(-1)} ms) ` +
    `rebalances=${rebalances} fences=${fences} aborts=${aborts}`
  );
}

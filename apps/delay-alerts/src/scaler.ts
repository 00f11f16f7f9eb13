import { failureLine } from "@tooling/app-cli";

export interface ScalerOptions {
  readonly members: number;
  /** Scaling is possible from then on. */
  readonly started: Promise<unknown>;
  readonly scale: (members: number) => Promise<void>;
  /** The program ends: nothing is said about scaling any more. */
  readonly signal: AbortSignal;
  readonly onEvent: (text: string) => void;
  readonly onFailure: (text: string) => void;
}

/** Changes the number of members, one change after the other; what is asked for meanwhile is one change. */
export class Scaler {
  readonly #options: ScalerOptions;
  #wanted: number;
  #now: number;
  #running: Promise<void> | null = null;

  constructor(options: ScalerOptions) {
    this.#options = options;
    this.#wanted = options.members;
    this.#now = options.members;
  }

  /** Resolves when the group has as many members as are wanted then. */
  change(difference: 1 | -1): Promise<void> {
    const { onEvent } = this.#options;
    if (this.#wanted + difference < 1) {
      onEvent("one member is the least");
      return Promise.resolve();
    }
    this.#wanted += difference;
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      await this.#options.started;
      await this.#follow();
    } catch {
      // It could not start, and whoever started it is told why.
    } finally {
      this.#running = null;
    }
  }

  async #follow(): Promise<void> {
    const { scale, signal, onEvent, onFailure } = this.#options;
    while (this.#now !== this.#wanted && !signal.aborted) {
      const before = this.#now;
      const members = this.#wanted;
      this.#now = members;
      onEvent(`scaling from ${before} to ${members}`);
      try {
        await scale(members);
        onEvent(`scaled to ${members}`);
      } catch (error) {
        if (signal.aborted) return;
        onFailure(`scaling to ${members} failed: ${failureLine(error)}`);
        // A member that could not start is taken away again.
        if (members > before) this.#wanted = before;
      }
    }
  }
}

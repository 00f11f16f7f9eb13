import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const STDERR_LINES_KEPT = 40;

/** A line that a worker reports; `atMs` is the time of its clock, which is this machine's. */
export interface WorkerReport {
  readonly event: string;
  readonly atMs: number;
}

/**
 * A test program in a process of its own, to be killed and frozen. It reports what happens on stdout, one JSON object a
 * line, and ends by SIGTERM.
 */
export class WorkerProcess<E extends WorkerReport> implements AsyncDisposable {
  readonly events: E[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #stderr: string[] = [];
  #watchers: (() => void)[] = [];

  /** @param flags - `{ commitIntervalMs: 5 }` is `--commit-interval-ms=5`; undefined ones are left out */
  constructor(program: URL, flags: object) {
    this.#child = spawn(
      process.execPath,
      ["--conditions=@eos/source", "--import", "tsx", fileURLToPath(program), ...flagArguments(flags)],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#exited = once(this.#child, "exit").then(() => this.#notify());
    for (const [stream, take] of [
      [this.#child.stdout, (line: string) => this.events.push(JSON.parse(line) as E)],
      [this.#child.stderr, (line: string) => this.#stderr.push(line)],
    ] as const) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on("line", (line) => {
        take(line);
        if (this.#stderr.length > STDERR_LINES_KEPT) this.#stderr.shift();
        this.#notify();
      });
    }
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last lines of its log. */
  get log(): string {
    return this.#stderr.join("\n");
  }

  count(name: E["event"]): number {
    return this.events.filter(({ event }) => event === name).length;
  }

  /**
   * Resolves with the first event, from the `from`th on, that `matches`.
   * @throws Error when the process ends or `timeoutMs` pass before there is one
   */
  async waitFor(
    matches: (event: E) => boolean,
    { from = 0, timeoutMs = 30_000 }: { readonly from?: number; readonly timeoutMs?: number } = {},
  ): Promise<E> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.events.slice(from).find(matches);
      if (found !== undefined) return found;
      if (!this.isAlive || Date.now() > deadline) {
        const why = this.isAlive ? `within ${timeoutMs} ms` : "before it ended";
        const seen = this.events.slice(-10).map((event) => JSON.stringify(event));
        throw new Error(`The worker did not report what was waited for ${why}.\n${seen.join("\n")}\n${this.log}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now() + 1);
        this.#watchers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** Ends it, also when it is frozen. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /** SIGTERM; resolves with its exit code. */
  async terminate(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    await this.#exited;
    return this.#child.exitCode;
  }

  #notify(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}

function flagArguments(flags: object): string[] {
  return Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${String(value)}`);
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./programs/copy-processor.ts", import.meta.url));
const STDERR_LINES_KEPT = 40;

/** What the program reports, one line each; `atMs` is the time of its clock, which is this machine's. */
export type WorkerEvent = { readonly atMs: number } & (
  | { readonly event: "state"; readonly next: string; readonly previous: string }
  | { readonly event: "rebalanced"; readonly generationId: number; readonly assigned: readonly number[] }
  | {
      readonly event: "committed";
      readonly transactionalId: string;
      readonly records: number;
      readonly durationMs: number;
    }
  | { readonly event: "aborted"; readonly transactionalId: string; readonly cause: string }
  | { readonly event: "reinitialised"; readonly transactionalId: string; readonly cause: string }
  | { readonly event: "fenced"; readonly message: string }
  | { readonly event: "failed"; readonly message: string }
);

/** The flags of test/programs/copy-processor.ts. */
export interface CopyWorkerOptions {
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly input: string;
  readonly output: string;
  readonly producerScope?: "process" | "task";
  readonly guarantee?: "exactly_once_v2" | "at_least_once";
  readonly commitIntervalMs?: number;
  readonly transactionTimeoutMs?: number;
  readonly sessionTimeoutMs?: number;
  readonly heartbeatIntervalMs?: number;
  readonly maxBatchBytes?: number;
  /** Names a store that counts the records of each key. */
  readonly store?: string;
}

/** A copying processor in a process of its own, to be killed and frozen. */
export class CopyWorker implements AsyncDisposable {
  readonly events: WorkerEvent[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #stderr: string[] = [];
  #watchers: (() => void)[] = [];

  constructor(options: CopyWorkerOptions) {
    this.#child = spawn(
      process.execPath,
      ["--conditions=@eos/source", "--import", "tsx", PROGRAM, ...flagsOf(options)],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#exited = once(this.#child, "exit").then(() => this.#notify());
    for (const [stream, take] of [
      [this.#child.stdout, (line: string) => this.events.push(JSON.parse(line) as WorkerEvent)],
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

  /** Records in transactions that it has committed. */
  get recordsCommitted(): number {
    return this.events.reduce((sum, event) => sum + (event.event === "committed" ? event.records : 0), 0);
  }

  count(name: WorkerEvent["event"]): number {
    return this.events.filter(({ event }) => event === name).length;
  }

  /** The partitions of its last assignment; none before the first. */
  get assigned(): readonly number[] {
    const last = this.events.findLast((event) => event.event === "rebalanced");
    return last?.event === "rebalanced" ? last.assigned : [];
  }

  /**
   * Resolves with the first event, from the `from`th on, that `matches`.
   * @throws Error when the process ends or `timeoutMs` pass before there is one
   */
  async waitFor(
    matches: (event: WorkerEvent) => boolean,
    { from = 0, timeoutMs = 30_000 }: { readonly from?: number; readonly timeoutMs?: number } = {},
  ): Promise<WorkerEvent> {
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

  running(timeoutMs = 30_000): Promise<WorkerEvent> {
    return this.waitFor((event) => event.event === "state" && event.next === "RUNNING", { timeoutMs });
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

function flagsOf({ brokers, ...options }: CopyWorkerOptions): string[] {
  const flags = Object.entries(options).map(
    ([name, value]) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${String(value)}`,
  );
  return [`--brokers=${brokers.join(",")}`, ...flags];
}

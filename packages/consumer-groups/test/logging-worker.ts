import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./programs/logging-worker.ts", import.meta.url));
const STDERR_LINES_KEPT = 40;

/** What the program reports, one line each. */
export interface WorkerEvent {
  readonly event: "state" | "lost" | "rebalanced" | "refused" | "member-failed" | "failed";
  readonly atMs: number;
  readonly next?: string;
  readonly durationMs?: number;
  readonly message?: string;
}

/** The flags of test/programs/logging-worker.ts, without the dashes. */
export type LoggingWorkerFlags = Readonly<Record<string, string | number>>;

/** A worker group in a process of its own, to be killed and frozen. */
export class LoggingWorker implements AsyncDisposable {
  readonly events: WorkerEvent[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #stderr: string[] = [];
  #watchers: (() => void)[] = [];
  #isFrozen = false;

  constructor(flags: LoggingWorkerFlags) {
    const given = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.#child = spawn(process.execPath, ["--conditions=@eos/source", "--import", "tsx", PROGRAM, ...given], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#exited = once(this.#child, "exit").then(() => this.#notify());
    const lines = (stream: NodeJS.ReadableStream | null, take: (line: string) => void): void => {
      createInterface({ input: stream as NodeJS.ReadableStream }).on("line", (line) => {
        take(line);
        this.#notify();
      });
    };
    lines(this.#child.stdout, (line) => this.events.push(JSON.parse(line) as WorkerEvent));
    lines(this.#child.stderr, (line) => {
      this.#stderr.push(line);
      if (this.#stderr.length > STDERR_LINES_KEPT) this.#stderr.shift();
    });
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get log(): string {
    return this.#stderr.join("\n");
  }

  count(event: WorkerEvent["event"]): number {
    return this.events.filter((candidate) => candidate.event === event).length;
  }

  /** @throws Error when the process ends, or half a minute passes, before there is such an event */
  async waitFor(matches: (event: WorkerEvent) => boolean, timeoutMs = 30_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.events.some(matches)) {
      if (!this.isAlive || Date.now() > deadline) {
        throw new Error(
          `The worker did not report what was waited for.\n${JSON.stringify(this.events.slice(-5))}\n${this.log}`,
        );
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

  running(): Promise<void> {
    return this.waitFor(({ event, next }) => event === "state" && next === "RUNNING");
  }

  scale(by: 1 | -1): void {
    this.#child.kill(by === 1 ? "SIGUSR1" : "SIGUSR2");
  }

  freeze(): void {
    this.#isFrozen = true;
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#child.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** SIGTERM; resolves with its exit code. */
  async terminate(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    await this.#exited;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #notify(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }
}

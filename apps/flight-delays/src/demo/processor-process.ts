import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const ERROR_LINES_KEPT = 10;

/** An app in a process of its own, whose output is read as a person would read it. */
export class ProcessorProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #errorLines: string[] = [];
  #state = "starting";
  #generation = -1;
  #partitions: readonly string[] = [];
  #stored: string | null = null;
  #isEnding = false;
  #guard: ChildProcess | null = null;

  /**
   * @param main - the app's program
   * @param onFailure - it ended although nobody had asked it to
   */
  constructor(name: string, main: URL, args: readonly string[], onFailure: (error: Error) => void) {
    this.name = name;
    // In a session of its own: Ctrl-C reaches only the demo, which decides how the processor ends. If the demo itself is
    // killed, the channel to it ends, and the processor with the channel.
    this.#child = fork(fileURLToPath(main), args, { stdio: ["ignore", "pipe", "pipe", "ipc"], detached: true });
    createInterface({ input: this.#child.stdout as Readable }).on("line", (line) => this.#read(line));
    createInterface({ input: this.#child.stderr as Readable }).on("line", (line) => {
      if (this.#errorLines.push(line) > ERROR_LINES_KEPT) this.#errorLines.shift();
    });
    this.#exited = once(this.#child, "close").then(() => {
      if (!this.#isEnding) onFailure(this.#failure("ended by itself"));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get state(): string {
    return this.#state;
  }

  /** The group's generation that {@link partitions} belong to; −1 before the first. */
  get generation(): number {
    return this.#generation;
  }

  /** What it processes, as `flights-0`. */
  get partitions(): readonly string[] {
    return this.#partitions;
  }

  /** How it says that its store came up; `null` before that. */
  get stored(): string | null {
    return this.#stored;
  }

  /** SIGSTOP: from now on it does nothing at all, and what it has begun stays as it is. */
  freeze(): void {
    // A stopped process does not notice that this one is gone; the guard does, by the end of its input.
    const script = 'read -r _ || kill -9 "$1"';
    this.#guard = spawn("/bin/sh", ["-c", script, "guard", String(this.pid)], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#child.kill("SIGSTOP");
  }

  /** SIGCONT */
  async thaw(): Promise<void> {
    this.#child.kill("SIGCONT");
    await this.#dismissGuard();
  }

  /** SIGKILL, frozen or not, and waits for the end. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    this.#child.kill("SIGKILL");
    await this.#exited;
    await this.#dismissGuard();
  }

  /** SIGTERM, and waits for the end. @throws Error when it did not end cleanly */
  async stop(): Promise<void> {
    this.#isEnding = true;
    this.#child.kill("SIGTERM");
    await this.#exited;
    if (this.#child.exitCode !== 0) throw this.#failure("did not end cleanly after SIGTERM");
  }

  async #dismissGuard(): Promise<void> {
    const guard = this.#guard;
    this.#guard = null;
    if (guard === null) return;
    guard.stdin?.end("\n");
    await once(guard, "close");
  }

  #read(line: string): void {
    const state = / → (\w+)$/.exec(line)?.[1];
    if (state !== undefined) this.#state = state;
    const stored = /: state: (.+)$/.exec(line)?.[1];
    if (stored !== undefined) this.#stored = stored;
    const [, generation, partitions] = /: generation (\d+): (.+)$/.exec(line) ?? [];
    if (generation === undefined || partitions === undefined) return;
    this.#generation = Number(generation);
    this.#partitions = partitions === "no partitions" ? [] : partitions.split(" ");
  }

  #failure(what: string): Error {
    const { exitCode, signalCode } = this.#child;
    const end = signalCode ?? `exit code ${exitCode}`;
    return new Error([`${this.name} ${what}: ${end}`, ...this.#errorLines].join("\n"));
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a program ended. */
export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program in a process of its own, as a user starts it. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly ended: Promise<ProgramEnd>;
  readonly #output = { stdout: "", stderr: "" };
  #hasEnded = false;

  constructor(file: URL, args: readonly string[], environment: { readonly [name: string]: string } = {}) {
    this.#child = spawn(
      process.execPath,
      ["--conditions=@eos/source", "--import", "tsx", fileURLToPath(file), ...args],
      {
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
        // A group of its own, so that the group can be signalled.
        detached: true,
      },
    );
    for (const stream of ["stdout", "stderr"] as const) {
      this.#child[stream]?.setEncoding("utf8").on("data", (text: string) => {
        this.#output[stream] += text;
        this.#look();
      });
    }
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (exitCode, signal) => {
        this.#hasEnded = true;
        this.#look();
        resolve({ exitCode, signal, ...this.#output });
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a terminal does: to the program and all that it has started without a session of its own. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-(this.#child.pid as number), signal);
  }

  /** Resolves once `text` has been printed. @throws Error when the program ends without it */
  async prints(text: string, stream: "stdout" | "stderr" = "stdout"): Promise<void> {
    for (;;) {
      if (this.#output[stream].includes(text)) return;
      if (this.#hasEnded) {
        const { stdout, stderr } = this.#output;
        throw new Error(`it ended without printing ${text}:\n${stdout}${stderr}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.signalGroup("SIGKILL");
    await this.ended;
  }

  #look(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

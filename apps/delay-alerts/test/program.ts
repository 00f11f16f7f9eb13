import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a program ended. */
export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An app in a process of its own, as a user starts it. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly ended: Promise<ProgramEnd>;
  #stdout = "";
  #stderr = "";
  #hasEnded = false;

  constructor(app: "delay-alerts" | "flight-delays", args: readonly string[]) {
    const path = fileURLToPath(new URL(`../../${app}/src/main.ts`, import.meta.url));
    this.#child = spawn(process.execPath, ["--conditions=@eos/source", "--import", "tsx", path, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#look();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (exitCode, signal) => {
        this.#hasEnded = true;
        this.#look();
        resolve({ exitCode, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves once `text` has been printed, to either stream. @throws Error when the program ends without it */
  async prints(text: string): Promise<void> {
    for (;;) {
      if (this.#stdout.includes(text) || this.#stderr.includes(text)) return;
      if (this.#hasEnded) throw new Error(`it ended without printing ${text}:\n${this.#stdout}${this.#stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.signal("SIGKILL");
    await this.ended;
  }

  #look(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

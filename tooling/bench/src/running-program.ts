import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readUsage, type Usage } from "./process-usage.ts";
import type { Program } from "./rival.ts";

const STOP_WITHIN_MS = 20_000;
const LOG_LINES_SHOWN = 20;

/** A started program whose output goes to a file. */
export class RunningProgram {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #usage: Usage = { cpuSeconds: 0, rssMegabytes: 0, peakRssMegabytes: 0 };
  #failure: Error | undefined;

  constructor(name: string, program: Program, logFile: string) {
    this.name = name;
    this.logFile = logFile;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, "w");
    this.#child = spawn(program.command, program.args, {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...program.env },
    });
    closeSync(log);
    children.add(this.#child);
    this.#ended = this.#watch();
  }

  get hasEnded(): boolean {
    return this.#failure !== undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The last usage that could be read: an ended process has none any more. */
  usage(): Usage {
    if (this.#child.pid !== undefined) this.#usage = readUsage(this.#child.pid) ?? this.#usage;
    return this.#usage;
  }

  /** Waits for a program that ends by itself. @throws Error when it fails */
  async finished(): Promise<void> {
    await this.#ended;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#child.exitCode !== 0) throw this.failed(`ended with ${this.#child.signalCode ?? this.#child.exitCode}`);
  }

  /** Ends it at once, if it still runs. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** SIGTERM; after 20 s SIGKILL and an error, for a rival must end in order. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const givenUp = new AbortController();
    const timeout = sleep(STOP_WITHIN_MS, "timeout" as const, { signal: givenUp.signal }).catch(
      () => "aborted" as const,
    );
    const outcome = await Promise.race([this.#ended, timeout]);
    givenUp.abort();
    if (outcome === "timeout") {
      await this.kill();
      throw this.failed(`did not end within ${STOP_WITHIN_MS} ms after SIGTERM`);
    }
  }

  /** The last line of its output that is a JSON object. */
  lastJson(): unknown {
    const line = this.#lines().findLast((each) => each.startsWith("{"));
    if (line === undefined) throw this.failed("printed no result");
    return JSON.parse(line);
  }

  /** All lines of its output so far that are JSON objects. */
  allJson(): unknown[] {
    return this.#wholeLines()
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as unknown);
  }

  hasPrinted(line: string): boolean {
    return this.#wholeLines().includes(line);
  }

  /** An error that shows the end of its output. */
  failed(what: string): Error {
    const end = this.#lines().slice(-LOG_LINES_SHOWN).join("\n");
    return new Error(`${this.name} ${what}. The end of ${this.logFile}:\n${end}`);
  }

  async #watch(): Promise<void> {
    try {
      await once(this.#child, "exit");
    } catch (cause) {
      this.#failure = new Error(`${this.name} could not be started`, { cause });
    }
    children.delete(this.#child);
  }

  /** Without one that is still being written. */
  #wholeLines(): string[] {
    return readFileSync(this.logFile, "utf8").split("\n").slice(0, -1);
  }

  #lines(): string[] {
    return readFileSync(this.logFile, "utf8").trimEnd().split("\n");
  }
}

const children = new Set<ChildProcess>();

// Nothing may run on after the harness, however it ends short of SIGKILL.
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Journal } from "./journal.ts";
import type { TestGroups } from "./test-groups.ts";

const PROGRAM = fileURLToPath(new URL("./programs/worker.ts", import.meta.url));

/** What the program reports, one line each; `atMs` is the time of its clock, which is this machine's. */
export type WorkerEvent = { readonly atMs: number } & (
  | { readonly event: "state"; readonly next: string }
  | { readonly event: "handling" | "handled"; readonly partition: number; readonly offset: number }
  | { readonly event: "assigned" | "revoked" | "lost" | "refused"; readonly partitions: readonly number[] }
  | { readonly event: "failed"; readonly message: string }
);

/** The flags of test/programs/worker.ts. */
export interface WorkerOptions {
  readonly handler?: "record" | "batch";
  readonly handlerMs?: number;
  readonly ordering?: "partition" | "key" | "unordered";
  readonly commit?: string;
  readonly sessionTimeoutMs?: number;
}

/** A group in a process of its own, to be killed and frozen. */
export class Worker implements AsyncDisposable {
  readonly journal = new Journal<WorkerEvent>();
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor({ brokers, groupId, topic }: TestGroups, options: WorkerOptions = {}) {
    const flags = Object.entries({ brokers: brokers.join(","), groupId, topic, ...options }).map(
      ([name, value]) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${String(value)}`,
    );
    this.#child = spawn(process.execPath, ["--conditions=@eos/source", "--import", "tsx", PROGRAM, ...flags], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#ended = once(this.#child, "close");
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) =>
      this.journal.add(JSON.parse(line) as WorkerEvent),
    );
  }

  /** Offsets of a partition, in the order in which their handling began, or ended. */
  offsets(event: "handling" | "handled", partition = 0): number[] {
    return this.journal.entries.flatMap((entry) =>
      entry.event === event && entry.partition === partition ? [entry.offset] : [],
    );
  }

  /** Resolves once so many records have been handled. */
  async handled(count: number): Promise<void> {
    const isHandled = ({ event }: WorkerEvent) => event === "handled";
    await this.journal.until((entries) => entries.filter(isHandled).length >= count, 15_000);
  }

  /** Resolves once it has reported such an event, the `from`th or a later one. */
  async reported(matches: (event: WorkerEvent) => boolean, from = 0): Promise<void> {
    await this.journal.until((entries) => entries.slice(from).some(matches), 15_000);
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** SIGTERM; resolves with its exit code. */
  async terminate(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Ends it, also when it is frozen. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./programs/store-writer.ts", import.meta.url));

/** The least that LevelDB takes: a little data makes many tables. */
export const SMALL_BUFFER_BYTES = 64 * 1024;

export interface StoreWriterOptions {
  /** Commits before a clean stop. */
  readonly beforeStop: number;
  readonly inAll: number;
  /** @defaultValue {@link SMALL_BUFFER_BYTES} */
  readonly writeBufferBytes?: number;
}

/** Another process that writes commits of the reference into a store, and then holds it open. */
export class StoreWriter implements AsyncDisposable {
  /** The last commit it has said to be written. */
  committed = 0;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: ReturnType<typeof createInterface>;

  constructor(folder: string, { beforeStop, inAll, writeBufferBytes = SMALL_BUFFER_BYTES }: StoreWriterOptions) {
    const flags = ["--conditions=@eos/source", "--import", "tsx"];
    const sizes = [beforeStop, inAll, writeBufferBytes].map(String);
    this.#child = spawn(process.execPath, [...flags, PROGRAM, folder, ...sizes], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.#lines.on("line", (line) => {
      this.committed = Number(line);
    });
    this.#ended = once(this.#lines, "close");
  }

  /** Resolves when the commit is written. @throws when the writer ends before */
  async reached(commit: number): Promise<void> {
    while (this.committed < commit) {
      const isOver = await Promise.race([once(this.#lines, "line").then(() => false), this.#ended.then(() => true)]);
      if (isOver && this.committed < commit) throw new Error(`the store writer ended behind commit ${this.committed}`);
    }
  }

  /** `kill -9`; what it said before is taken note of. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./programs/store-writer.ts", import.meta.url));

/** Another process that has written a store and holds it open. */
export class StoreWriter implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "exit");
  }

  /** Resolves when everything is written. */
  static async start(
    folder: string,
    commits: { readonly beforeStop: number; readonly inAll: number },
  ): Promise<StoreWriter> {
    const child = spawn(
      process.execPath,
      [
        "--conditions=@eos/source",
        "--import",
        "tsx",
        PROGRAM,
        folder,
        String(commits.beforeStop),
        String(commits.inAll),
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const writer = new StoreWriter(child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const [first] = await Promise.race([once(lines, "line"), writer.#exited]);
    if (first !== "written") throw new Error(`the store writer ended with code ${String(first)}`);
    return writer;
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

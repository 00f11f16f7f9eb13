import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { repositoryRoot } from "./workspace.ts";

export interface CommandOptions {
  /** @default the root of the repository */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `'captured'` comes back in `output`; `'shown'` goes to the terminal as it is written. @default 'captured' */
  readonly output?: "captured" | "shown";
  /** After this long the program is killed, which counts as a failure. @default without limit */
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
}

/** Somebody wants us to end: clean up on the way out and start nothing new. */
export class InterruptedError extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/**
 * Runs a program, by preference one that the root package installs, and waits until it is gone.
 * @throws InterruptedError when a signal to end came meanwhile
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const isShown = options.output === "shown";
  const child = spawn(command, args, {
    cwd: options.cwd ?? repositoryRoot,
    env: {
      ...process.env,
      PATH: [join(repositoryRoot, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
      TURBO_TELEMETRY_DISABLED: "1",
      ...options.env,
    },
    timeout: options.timeoutMs,
    killSignal: "SIGKILL",
    stdio: ["ignore", isShown ? "inherit" : "pipe", isShown ? "inherit" : "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));

  // A terminal sends Ctrl-C to the child as well, and a second one would cut its clean-up short; SIGTERM comes to us alone.
  let interruptedBy: NodeJS.Signals | undefined;
  const onInterrupt = (): void => {
    interruptedBy = "SIGINT";
  };
  const onTerminate = (): void => {
    interruptedBy = "SIGTERM";
    child.kill("SIGTERM");
  };
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  let exitCode: number;
  try {
    exitCode = await new Promise<number>((resolve, reject) => {
      child.on("error", reject).on("close", (code) => resolve(code ?? 1));
    });
  } catch (error) {
    return { exitCode: 127, output: error instanceof Error ? error.message : String(error) };
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
  }
  if (interruptedBy !== undefined) throw new InterruptedError(interruptedBy);
  return { exitCode, output: Buffer.concat(chunks).toString() };
}

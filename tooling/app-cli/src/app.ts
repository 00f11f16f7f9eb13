import { failureLine } from "./failure.ts";

/** A program that runs until it is told to end. */
export interface App<Prepared> {
  readonly name: string;
  /** What `--help` prints. */
  readonly help: string;
  /**
   * Everything by which a wrong option is found out.
   *
   * @returns `'help'` when that was asked for
   * @throws TypeError on a wrong option
   */
  readonly prepare: (
    args: readonly string[],
    environment: { readonly [variable: string]: string | undefined },
  ) => Prepared | "help" | Promise<Prepared | "help">;
  /** Resolves at the end that was asked for. */
  readonly run: (prepared: Prepared) => Promise<void>;
}

/** What an app needs of `process`. */
export interface AppProcess {
  readonly argv: readonly string[];
  readonly env: { readonly [variable: string]: string | undefined };
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  exit(exitCode: number): unknown;
}

/**
 * Runs an app, and then ends the process: with exit code 0; with 1 after an error, told in one line; with 2 for a
 * wrong option.
 */
export async function runApp<Prepared>(app: App<Prepared>, host: AppProcess = process): Promise<void> {
  let exitCode: number;
  try {
    exitCode = await runToEnd(app, host);
  } catch (error) {
    host.stderr.write(`${app.name}: ${failureLine(error)}\n`);
    exitCode = 1;
  }
  host.exit(exitCode);
}

async function runToEnd<Prepared>(app: App<Prepared>, host: AppProcess): Promise<number> {
  let prepared: Prepared | "help";
  try {
    prepared = await app.prepare(host.argv.slice(2), host.env);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    host.stderr.write(`${error.message}\nTry --help.\n`);
    return 2;
  }
  if (prepared === "help") {
    host.stdout.write(app.help);
    return 0;
  }
  await app.run(prepared);
  return 0;
}

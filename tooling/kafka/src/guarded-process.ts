import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { rm } from "node:fs/promises";

/**
 * Starts `command` so that a {@link startWatchdog | watchdog} with `END_PROCESSES` can find it by its pid file.
 * The shell writes that file before it becomes the command: at no moment does a process run which the watchdog does
 * not know, and in a folder that the watchdog has taken away the write fails and nothing is started.
 * @returns the child, which does not keep this process alive, and its end
 */
export function spawnGuarded(
  pidFile: string,
  command: readonly string[],
  stdio: StdioOptions,
): { child: ChildProcess; exited: Promise<void> } {
  const script = 'pid=$1; shift; echo $$ > "$pid" && exec "$@"';
  // A session of its own: Ctrl-C in the terminal reaches only us, and we decide how the child ends.
  const child = spawn("/bin/sh", ["-c", script, "eos-kafka", pidFile, ...command], { detached: true, stdio });
  child.unref();
  const exited = new Promise<void>((resolve) => {
    const ended = (): void => {
      // A pid file that outlives its process could make the watchdog kill a stranger with the same pid.
      rm(pidFile, { force: true }).then(resolve, resolve);
    };
    child.once("exit", ended);
    child.once("error", ended);
  });
  return { child, exited };
}

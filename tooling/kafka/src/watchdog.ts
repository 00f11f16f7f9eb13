import { spawn } from "node:child_process";

/**
 * Runs `script` by the shell, with `parameters` as $1, $2 …, once this process is gone, however it went: a SIGKILL
 * cannot be caught, but the kernel closes the pipe that the watcher reads.
 * @returns ends the watcher; it runs the script then, too
 */
export function startWatchdog(script: string, parameters: readonly string[]): () => Promise<void> {
  const watcher = spawn("/bin/sh", ["-c", `cat >/dev/null\n${script}`, "eos-kafka-watchdog", ...parameters], {
    // A session of its own: Ctrl-C in the terminal must not end the watcher before it has cleaned up.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { ...process.env, PATH: `/usr/bin:/bin:/usr/local/bin:${process.env["PATH"] ?? ""}` },
    cwd: "/",
  });
  const exited = new Promise<void>((resolve) => watcher.once("close", () => resolve()));
  watcher.stdin.on("error", () => {});
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return async () => {
    watcher.ref();
    watcher.stdin.end();
    await exited;
  };
}

/**
 * Kills the processes of the folder $1 by their pid files and removes the folder. It is renamed first, so that a
 * process which is just being started cannot write its pid file any more and gives up (see guarded-process.ts).
 */
export const END_PROCESSES = `
mv "$1" "$1.gone" 2>/dev/null || exit 0
for file in "$1.gone"/*/pid; do
  [ -f "$file" ] && kill -9 "$(cat "$file")"
done
tries=0
until rm -rf "$1.gone" 2>/dev/null || [ "$tries" -ge 50 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
`;

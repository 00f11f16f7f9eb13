const controller = new AbortController();

/**
 * Aborted when this process is to end: Ctrl-C, SIGTERM, a closed terminal, or the end of a parent that had opened a
 * channel to it. Listened to from the first import on, so that a signal at the very start is not lost.
 */
export const shutdownSignal: AbortSignal = controller.signal;

/** Resolves when {@link shutdownSignal} is aborted. */
export const shutdownRequested: Promise<void> = new Promise((resolve) => {
  shutdownSignal.addEventListener("abort", () => resolve(), { once: true });
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => controller.abort());
process.on("disconnect", () => controller.abort());
// The parent may have gone before anybody could listen.
if (process.send !== undefined && !process.connected) controller.abort();

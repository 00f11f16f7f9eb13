const controller = new AbortController();

/**
 * Aborted when this process is to end: Ctrl-C, SIGTERM, a closed terminal, or the end of a parent that had opened a
 * channel to it. Listened to from the first import on, so that a signal at the very start is not lost.
 */
export const shutdownSignal: AbortSignal = controller.signal;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => controller.abort());
process.on("disconnect", () => controller.abort());

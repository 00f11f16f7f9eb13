const controller = new AbortController();

/** Aborted when this process is to end: Ctrl-C, SIGTERM, a closed terminal, or {@link requestShutdown}. */
export const shutdownSignal: AbortSignal = controller.signal;

/** Resolves when {@link shutdownSignal} is aborted. */
export const shutdownRequested: Promise<void> = new Promise((resolve) => {
  shutdownSignal.addEventListener("abort", () => resolve(), { once: true });
});

export function requestShutdown(): void {
  controller.abort();
}

// Listened to from the first import on, so that a signal at the very start is not lost.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, requestShutdown);

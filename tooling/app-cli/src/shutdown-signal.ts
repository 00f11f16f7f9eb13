const controller = new AbortController();

/**
 * Aborted when this process is to end: Ctrl-C, SIGTERM, a closed terminal, or {@link requestShutdown}. Listened to from
 * the import on, so that a signal at the very start is not lost; hence a module of its own, which only a program
 * imports: whatever else did would no longer end by Ctrl-C.
 */
export const shutdownSignal: AbortSignal = controller.signal;

/** Resolves when {@link shutdownSignal} is aborted. */
export const shutdownRequested: Promise<void> = new Promise((resolve) => {
  shutdownSignal.addEventListener("abort", () => resolve(), { once: true });
});

export function requestShutdown(): void {
  controller.abort();
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, requestShutdown);

import { shutdownRequested } from "./shutdown-signal.ts";

/** What is needed of a processor. */
export interface RunnableProcessor {
  readonly finished: Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Runs processors until the end is asked for, or one stops; then closes all. @throws the error that stopped it */
export async function runProcessors(processors: readonly RunnableProcessor[]): Promise<void> {
  // A pending promise keeps no process alive, and a processor that waits for its first assignment may have no handle.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  try {
    const finished = Promise.all(processors.map((processor) => processor.start().then(() => processor.finished)));
    await Promise.race([shutdownRequested, finished]);
    await Promise.all(processors.map((processor) => processor.close()));
  } catch (error) {
    await Promise.allSettled(processors.map((processor) => processor.close()));
    throw error;
  } finally {
    clearInterval(keepAlive);
  }
}

import { isThenable } from "./thenable.ts";

const warned = new WeakSet<object>();

/**
 * Calls a listener whose failure must not reach the caller: an observer is never a reason to abort a transaction.
 * The first failure of each listener is a process warning, so that it does not go unseen either.
 */
export function callListener<A extends readonly unknown[]>(
  listener: (...args: A) => unknown,
  thisArg: unknown,
  what: string,
  ...args: A
): void {
  try {
    const result = listener.apply(thisArg, args as unknown as [...A]);
    // A listener may be an async function although its type says void: its rejection would end the process.
    if (isThenable(result)) Promise.resolve(result).catch((error: unknown) => warnOnce(listener, what, error));
  } catch (error) {
    warnOnce(listener, what, error);
  }
}

function warnOnce(listener: object, what: string, error: unknown): void {
  if (warned.has(listener)) return;
  warned.add(listener);
  process.emitWarning(`A listener of ${what} failed; its failures are ignored`, {
    type: "EosListenerWarning",
    detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}

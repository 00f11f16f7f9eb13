import { EosError } from "@eos/core";

/** A store, or an iterator of it, was used after the store was closed, as when its task has gone to another process. Code `EOS_STORE_CLOSED`, abortable. */
export class StoreClosedError extends EosError {
  readonly storeName: string;

  constructor(storeName: string) {
    super(`The store "${storeName}" is closed`, {
      code: "EOS_STORE_CLOSED",
      severity: "abortable",
      hint: "Ask the context for the store in every call instead of keeping it, and await what uses it before the call ends.",
    });
    this.storeName = storeName;
  }
}

import { notify, type Observer, type ObserverEvents } from "@eos/core";

/** Tells what a group does to everybody who watches it at the time. */
export class ObserverHub {
  /** Each in an object of its own: the same observer may be added twice. */
  readonly #added = new Set<{ readonly observer: Observer }>();
  readonly observer: Observer = {
    stateChanged: (event) => this.#tell("stateChanged", event),
    rebalanced: (event) => this.#tell("rebalanced", event),
    offsetsCommitted: (event) => this.#tell("offsetsCommitted", event),
    commitRefused: (event) => this.#tell("commitRefused", event),
    memberFailed: (event) => this.#tell("memberFailed", event),
    recordSkipped: (event) => this.#tell("recordSkipped", event),
  };

  /** @returns ends it */
  add(observer: Observer): () => void {
    const added = { observer };
    this.#added.add(added);
    return () => void this.#added.delete(added);
  }

  #tell<E extends keyof ObserverEvents>(name: E, event: ObserverEvents[E]): void {
    for (const { observer } of this.#added) notify(observer, name, event);
  }
}

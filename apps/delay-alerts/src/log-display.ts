import type { Writable } from "node:stream";
import type { Display } from "./display.ts";
import type { GroupView } from "./group-view.ts";
import { renderLogLine } from "./screen.ts";

/** Lines with the time before them, where there is no terminal. */
export class LogDisplay implements Display {
  readonly intervalMs = 5_000;
  readonly #out: Writable;
  readonly #err: Writable;

  constructor(out: Writable, err: Writable) {
    this.#out = out;
    this.#err = err;
  }

  event(text: string): void {
    this.#out.write(stamped(text));
  }

  warning(text: string): void {
    this.#err.write(stamped(text));
  }

  show(view: GroupView): void {
    this.event(renderLogLine(view));
  }

  close(): void {}
}

/** A line with the time before it. */
export function stamped(text: string): string {
  return `${new Date().toISOString()} ${text}\n`;
}

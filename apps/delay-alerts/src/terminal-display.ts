import type { Writable } from "node:stream";
import type { Display } from "./display.ts";
import type { GroupView } from "./group-view.ts";
import { stamped } from "./log-display.ts";
import { renderScreen, type ScreenLine, type Tone } from "./screen.ts";

/** What of a terminal is needed. */
export interface Terminal extends Writable {
  readonly columns?: number;
  readonly rows?: number;
  hasColors(): boolean;
}

const COLOURS: { readonly [tone in Tone]: string } = {
  plain: "",
  strong: "\u001b[1m",
  faint: "\u001b[2m",
  good: "\u001b[32m",
  warning: "\u001b[33m",
  bad: "\u001b[31m",
};
const NO_COLOUR = "\u001b[0m";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_BELOW = "\u001b[J";

/** A screen at the bottom of the terminal, drawn over itself; events scroll away above it. */
export class TerminalDisplay implements Display {
  readonly intervalMs = 1_000;
  readonly #out: Terminal;
  readonly #err: Writable;
  #drawn: readonly ScreenLine[] = [];
  #isClosed = false;

  constructor(out: Terminal, err: Writable) {
    this.#out = out;
    this.#err = err;
    this.#out.write(HIDE_CURSOR);
  }

  event(text: string): void {
    this.#above(this.#out, text);
  }

  warning(text: string): void {
    this.#above(this.#err, text);
  }

  show(view: GroupView): void {
    if (this.#isClosed) return;
    const lines = renderScreen(view, { columns: this.#columns, rows: this.#out.rows || 24 });
    // In one write: the terminal never shows half of it.
    this.#out.write(this.#erasure() + this.#text(lines));
    this.#drawn = lines;
  }

  /** Leaves the screen as it was drawn last. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#drawn = [];
    this.#out.write(SHOW_CURSOR);
  }

  get #columns(): number {
    return this.#out.columns || 80;
  }

  #above(stream: Writable, text: string): void {
    this.#out.write(this.#erasure());
    stream.write(stamped(text));
    this.#out.write(this.#text(this.#drawn));
  }

  #text(lines: readonly ScreenLine[]): string {
    const isColoured = this.#out.hasColors();
    return lines
      .map(({ text, tone }) => (isColoured && tone !== "plain" ? `${COLOURS[tone]}${text}${NO_COLOUR}\n` : `${text}\n`))
      .join("");
  }

  /** Terminals break lines anew when they get narrower: what was drawn may have grown since. */
  #erasure(): string {
    const columns = this.#columns;
    const height = this.#drawn.reduce((sum, { text }) => sum + Math.max(1, Math.ceil(text.length / columns)), 0);
    return height === 0 ? "" : `\u001b[${height}A\r${CLEAR_BELOW}`;
  }
}

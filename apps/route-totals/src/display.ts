import { MultiBar, Presets, type SingleBar } from "cli-progress";
import type { RestoreDisplay } from "./restore-progress.ts";

/** Where the program says what happens. */
export interface Display extends RestoreDisplay {
  line(text: string): void;
  /** Something that somebody should look at; to stderr. */
  warning(text: string): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

/** A line now and then is enough for a log. */
const PROGRESS_INTERVAL_MS = 5_000;

/** Lines with the time before them, where there is no terminal. */
export class LogDisplay implements Display {
  readonly #out: NodeJS.WritableStream;
  readonly #err: NodeJS.WritableStream;
  readonly #monotonicMs: () => number;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(out: NodeJS.WritableStream, err: NodeJS.WritableStream, monotonicMs: () => number) {
    this.#out = out;
    this.#err = err;
    this.#monotonicMs = monotonicMs;
  }

  line(text: string): void {
    this.#out.write(stamped(text));
  }

  warning(text: string): void {
    this.#err.write(stamped(text));
  }

  restoring(done: number, total: number): void {
    const nowMs = this.#monotonicMs();
    if (nowMs - this.#toldMs < PROGRESS_INTERVAL_MS) return;
    this.#toldMs = nowMs;
    this.line(`restoring the totals: offset ${count(done)} of ${count(total)}`);
  }

  restored(records: number, durationMs: number): void {
    this.#toldMs = Number.NEGATIVE_INFINITY;
    if (records > 0) this.line(restoredText(records, durationMs));
  }

  close(): void {}
}

/** A progress bar below the lines while a restore goes on. */
export class TerminalDisplay implements Display {
  readonly #out: NodeJS.WritableStream;
  readonly #err: NodeJS.WritableStream;
  #bars: MultiBar | null = null;
  #bar: SingleBar | null = null;

  constructor(out: NodeJS.WritableStream, err: NodeJS.WritableStream) {
    this.#out = out;
    this.#err = err;
  }

  line(text: string): void {
    if (this.#bars === null) this.#out.write(stamped(text));
    else this.#bars.log(stamped(text));
  }

  warning(text: string): void {
    // On the terminal both streams are the same; in a file behind stderr there is no bar.
    if (this.#bars === null || !("isTTY" in this.#err && this.#err.isTTY === true)) this.#err.write(stamped(text));
    else this.#bars.log(stamped(text));
  }

  restoring(done: number, total: number): void {
    if (this.#bars === null || this.#bar === null) {
      this.#bars = new MultiBar(
        {
          stream: this.#out,
          format: "restoring the totals {bar} {percentage} % │ offset {value} of {total}",
          formatValue: (value, _options, type) => (type === "percentage" ? String(value) : count(value)),
          barsize: 20,
          hideCursor: true,
          clearOnComplete: true,
          gracefulExit: false,
        },
        Presets.shades_classic,
      );
      this.#bar = this.#bars.create(total, done);
    }
    this.#bar.setTotal(total);
    this.#bar.update(done);
  }

  restored(records: number, durationMs: number): void {
    this.close();
    if (records > 0) this.line(restoredText(records, durationMs));
  }

  close(): void {
    // Writes the lines that still wait.
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = null;
    this.#bar = null;
  }
}

function restoredText(records: number, durationMs: number): string {
  return `restored ${count(records)} records from the changelog in ${(durationMs / 1_000).toFixed(1)} s`;
}

function stamped(text: string): string {
  return `${new Date().toISOString()} ${text}\n`;
}

/** `1,234` */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}

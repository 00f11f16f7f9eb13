import { MultiBar, Presets } from "cli-progress";

/** A progress bar, or nothing where there is no terminal. */
export interface ProgressBar {
  update(done: number): void;
  stop(): void;
}

const TITLE_WIDTH = 12;

/** The demo's output: numbered phases with what happened in them, and how long each took. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedMs = performance.now();
  #phase = 0;
  #bars: MultiBar | null = null;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Since the demo began. */
  get elapsed(): string {
    return seconds(performance.now() - this.#startedMs);
  }

  /** Begins a phase. @returns says in a line how it ended, and how long it took */
  phase(title: string, what: string): (result: string) => void {
    const number = ++this.#phase;
    const startedMs = performance.now();
    this.line(`\n${number} ${title.padEnd(TITLE_WIDTH)} ${what}`);
    return (result) => this.note(`${result} (${seconds(performance.now() - startedMs)})`);
  }

  /** A line that belongs to the phase. */
  note(text: string): void {
    this.line(`${" ".repeat(TITLE_WIDTH + 3)}${text}`);
  }

  line(text: string): void {
    // While a bar is drawn, lines go above it.
    if (this.#bars === null) this.#stream.write(`${text}\n`);
    else this.#bars.log(`${text}\n`);
  }

  bar(total: number, unit: string): ProgressBar {
    if (!this.#stream.isTTY) return { update: () => {}, stop: () => {} };
    const bars = new MultiBar(
      {
        stream: this.#stream,
        format: `${" ".repeat(TITLE_WIDTH + 3)}{bar} {percentage} % │ {value}/{total} ${unit}`,
        barsize: 30,
        hideCursor: true,
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
    this.#bars = bars;
    const bar = bars.create(total, 0);
    return {
      update: (done) => bar.update(done),
      stop: () => {
        if (this.#bars !== bars) return;
        this.#bars = null;
        // Draws the lines that still wait, and the bar as it is now.
        bars.update();
        bars.stop();
      },
    };
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** `20,000 flights` */
export function count(number: number, what: string): string {
  return `${number.toLocaleString("en-US")} ${what}`;
}

import type { ApiName, Frame } from "./frame.ts";

/**
 * What happens to a frame:
 * - `drop`: it never arrives; the connection stays open.
 * - `hang-up`: it never arrives, and the connection is closed.
 * - `hold`: it waits, and whatever is behind it on its connection, until {@link InjectedFault.release}. It arrives then even when the
 *   client has closed the connection meanwhile, as a frame does that was stuck in the network.
 * - a function: what it returns arrives instead. It gets the payload and returns one, both without their size.
 */
export type FaultAction = "drop" | "hang-up" | "hold" | ((payload: Buffer, frame: Frame) => Buffer);

export interface FaultRule {
  readonly api: ApiName;
  readonly on: "request" | "response";
  readonly action: FaultAction;
  /**
   * How many frames it strikes; `Infinity` until it is removed.
   * @defaultValue 1
   */
  readonly times?: number;
  /** Which frames of the API it strikes. @defaultValue all */
  readonly matching?: (frame: Frame) => boolean;
}

/** A fault that was armed. */
export interface InjectedFault {
  /** How often it has struck. */
  readonly strikes: number;
  /** Resolves when it strikes for the first time. */
  readonly struck: Promise<Frame>;
  /** Strikes no more; what it holds stays held. */
  disarm(): void;
  /**
   * Lets go of what is held. Resolves once that has arrived: a request when the broker has answered it, an answer when
   * the client has it. Rejects when the connection ends before.
   */
  release(): Promise<void>;
}

/** A frame that a fault holds. */
export interface HeldFrame {
  release(): Promise<void>;
}

export class ArmedFault implements InjectedFault {
  readonly rule: FaultRule;
  readonly struck: Promise<Frame>;
  #strikes = 0;
  #left: number;
  #held: HeldFrame[] = [];
  #firstStrike: (frame: Frame) => void = () => {};

  constructor(rule: FaultRule) {
    this.rule = rule;
    this.#left = rule.times ?? 1;
    this.struck = new Promise((resolve) => {
      this.#firstStrike = resolve;
    });
  }

  get strikes(): number {
    return this.#strikes;
  }

  /** Whether it strikes this frame; if so, that was one of its times. */
  strike(frame: Frame): boolean {
    const { api, on, matching } = this.rule;
    if (this.#left <= 0 || frame.api !== api || frame.direction !== on) return false;
    if (matching !== undefined && !matching(frame)) return false;
    this.#left--;
    this.#strikes++;
    this.#firstStrike(frame);
    return true;
  }

  hold(frame: HeldFrame): void {
    this.#held.push(frame);
  }

  disarm(): void {
    this.#left = 0;
  }

  async release(): Promise<void> {
    await Promise.all(this.#held.splice(0).map((frame) => frame.release()));
  }
}

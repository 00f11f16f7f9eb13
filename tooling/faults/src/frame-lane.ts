import type { ArmedFault } from "./fault.ts";
import { type Frame, withSize } from "./frame.ts";

export interface FrameLaneOptions {
  /** The fault that strikes the frame, if any. */
  readonly strike: (frame: Frame) => ArmedFault | undefined;
  readonly deliver: (bytes: Buffer, frame: Frame) => void;
  readonly hangUp: () => void;
  /** Runs when a held frame is let go; resolves when it has arrived. */
  readonly arrived: (frame: Frame) => Promise<void>;
}

/** One direction of one connection: frames leave in the order they came, so one that is held holds those behind it. */
export class FrameLane {
  readonly #options: FrameLaneOptions;
  readonly #waiting: Frame[] = [];
  #held: Frame | null = null;

  constructor(options: FrameLaneOptions) {
    this.#options = options;
  }

  /** Whether something would be lost if the connection ended now. */
  get isHolding(): boolean {
    return this.#held !== null;
  }

  push(frame: Frame): void {
    if (this.#held !== null) this.#waiting.push(frame);
    else this.#pass(frame);
  }

  #pass(frame: Frame): void {
    const { strike, deliver, hangUp } = this.#options;
    const fault = strike(frame);
    const action = fault?.rule.action;
    if (action === undefined) deliver(withSize(frame.payload), frame);
    else if (action === "hang-up") hangUp();
    else if (action === "hold") this.#hold(frame, fault as ArmedFault);
    else if (action !== "drop") deliver(withSize(action(Buffer.from(frame.payload), frame)), frame);
  }

  #hold(frame: Frame, fault: ArmedFault): void {
    this.#held = frame;
    fault.hold({
      release: async () => {
        this.#held = null;
        const arrived = this.#options.arrived(frame);
        this.#options.deliver(withSize(frame.payload), frame);
        while (this.#held === null && this.#waiting.length > 0) this.#pass(this.#waiting.shift() as Frame);
        await arrived;
      },
    });
  }
}

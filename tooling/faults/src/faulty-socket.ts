import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { ArmedFault } from "./fault.ts";
import { type Frame, requestFrame, responseFrame } from "./frame.ts";
import { FrameLane } from "./frame-lane.ts";
import { FrameSplitter } from "./frame-splitter.ts";

/**
 * Stands between a client and its connection, which it looks at frame by frame. To the client it is a socket, as far as Kafka
 * clients use one; the connection itself (TCP or TLS) is another, so that the two can end at different times.
 */
export class FaultySocket extends Duplex {
  readonly #connection: Socket;
  readonly #requests: FrameLane;
  readonly #responses: FrameLane;
  readonly #requestBytes = new FrameSplitter();
  readonly #responseBytes = new FrameSplitter();
  /** Requests that the broker has not answered, by correlation id. */
  readonly #unanswered = new Map<number, Frame>();
  readonly #answerWaiters = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();

  constructor(connection: Socket, strike: (frame: Frame) => ArmedFault | undefined) {
    super({ allowHalfOpen: false });
    this.#connection = connection;
    const hangUp = (): void => {
      this.destroy();
      connection.destroy();
    };
    this.#requests = new FrameLane({
      strike,
      hangUp,
      deliver: (bytes) => void connection.write(bytes),
      arrived: (frame) => this.#answered(frame),
    });
    this.#responses = new FrameLane({
      strike,
      hangUp,
      deliver: (bytes) => void (this.destroyed || this.push(bytes)),
      arrived: () => Promise.resolve(),
    });
    connection.on("data", (chunk: Buffer) => this.#fromBroker(chunk));
    connection.on("end", () => this.push(null));
    connection.on("error", (error) => this.destroy(error));
    connection.on("close", () => {
      this.destroy();
      for (const { reject } of this.#answerWaiters.values())
        reject(new Error("The connection ended before the answer"));
    });
  }

  setKeepAlive(enable?: boolean, initialDelayMs?: number): this {
    this.#connection.setKeepAlive(enable, initialDelayMs);
    return this;
  }

  setNoDelay(noDelay?: boolean): this {
    this.#connection.setNoDelay(noDelay);
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    this.#connection.ref();
    return this;
  }

  unref(): this {
    this.#connection.unref();
    return this;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    for (const payload of this.#requestBytes.push(chunk)) {
      const frame = requestFrame(payload);
      this.#unanswered.set(frame.correlationId, frame);
      this.#requests.push(frame);
    }
    done();
  }

  override _read(): void {}

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#isOwed()) this.#connection.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What outlives the client must not keep the process alive as well.
    if (this.#isOwed()) this.#connection.unref();
    else this.#connection.destroy();
    done(error);
  }

  #fromBroker(chunk: Buffer): void {
    for (const payload of this.#responseBytes.push(chunk)) {
      const correlationId = payload.readInt32BE(0);
      const frame = responseFrame(payload, this.#unanswered.get(correlationId));
      this.#unanswered.delete(correlationId);
      this.#responses.push(frame);
      this.#answerWaiters.get(correlationId)?.resolve();
      this.#answerWaiters.delete(correlationId);
      if (this.destroyed && !this.#isOwed()) this.#connection.end();
    }
  }

  #answered(request: Frame): Promise<void> {
    return new Promise((resolve, reject) => this.#answerWaiters.set(request.correlationId, { resolve, reject }));
  }

  /** Whether a request is still to arrive, or to be answered, for which the connection has to outlive the client. */
  #isOwed(): boolean {
    return this.#requests.isHolding || this.#answerWaiters.size > 0;
  }
}

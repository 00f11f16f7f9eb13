import { connect, type Socket } from "node:net";

/** Reads the fields of a (non-flexible) response in order. */
export class ResponseReader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    this.#position += 2;
    return this.#buffer.readInt16BE(this.#position - 2);
  }

  int32(): number {
    this.#position += 4;
    return this.#buffer.readInt32BE(this.#position - 4);
  }

  int64(): number {
    this.#position += 8;
    return Number(this.#buffer.readBigInt64BE(this.#position - 8));
  }

  bool(): boolean {
    this.#position += 1;
    return this.#buffer.readInt8(this.#position - 1) !== 0;
  }

  string(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    this.#position += length;
    return this.#buffer.toString("utf8", this.#position - length, this.#position);
  }

  array<T>(read: (reader: ResponseReader) => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, () => read(this));
  }
}

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const int64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};

export const int8 = (value: number): Buffer => Buffer.of(value & 0xff);

export const string = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);

export const array = <T>(items: readonly T[], write: (item: T) => Buffer): Buffer =>
  Buffer.concat([int32(items.length), ...items.map(write)]);

/**
 * One PLAINTEXT connection that asks one thing at a time. The launcher asks brokers itself rather than by a client
 * library, so that a fault in the library under test cannot hide one in the broker or the other way round.
 */
export class PlainConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #waiting: { resolve(response: Buffer): void; reject(error: Error): void } | undefined;
  #correlationId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  /** Connects to `host:port`; a request or a connect that takes longer than `timeoutMs` fails. */
  static async open(address: string, timeoutMs: number): Promise<PlainConnection> {
    const colon = address.lastIndexOf(":");
    const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(address.slice(colon + 1)), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new PlainConnection(socket);
  }

  async request(apiKey: number, apiVersion: number, body: readonly Buffer[]): Promise<ResponseReader> {
    const header = [int16(apiKey), int16(apiVersion), int32(++this.#correlationId), string("eos-tooling")];
    const frame = Buffer.concat([...header, ...body]);
    const response = await new Promise<Buffer>((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error("the connection was closed"));
      this.#waiting = { resolve, reject };
      this.#socket.write(Buffer.concat([int32(frame.length), frame]));
    });
    const reader = new ResponseReader(response);
    if (reader.int32() !== this.#correlationId) throw new Error("this is not a Kafka broker's answer");
    return reader;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (this.#received.length < 4) return;
    const end = 4 + this.#received.readUInt32BE(0);
    if (this.#received.length < end) return;
    const response = this.#received.subarray(4, end);
    this.#received = this.#received.subarray(end);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(response);
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

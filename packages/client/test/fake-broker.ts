import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { API_VERSIONS, KAFKA_APIS, METADATA } from "../src/protocol/apis.ts";
import { ByteReader } from "../src/protocol/byte-reader.ts";
import { ByteWriter } from "../src/protocol/byte-writer.ts";

export interface FakeRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** Behind the request header. */
  readonly body: Buffer;
  readonly socket: Socket;
  /** Sends an answer: header v1 with empty tags, unless `headerVersion` is 0. */
  answer(body: Buffer, headerVersion?: 0 | 1): void;
}

/**
 * A listener that speaks as much Kafka as opening a connection takes, and hands every other request to the test: for
 * what a real broker cannot be made to do, as answering too late.
 */
export class FakeBroker {
  readonly requests: FakeRequest[] = [];
  readonly sockets = new Set<Socket>();
  /** Whether ApiVersions and Metadata are answered. */
  answersHandshake = true;
  readonly #server: Server;
  #waiters: { apiKey: number; resolve: (request: FakeRequest) => void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => this.#accept(socket));
  }

  static async listen(port = 0): Promise<FakeBroker> {
    const server = createServer();
    const broker = new FakeBroker(server);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The next request of this API. */
  async request(apiKey: number): Promise<FakeRequest> {
    return await new Promise((resolve) => this.#waiters.push({ apiKey, resolve }));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => {});
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const end = 4 + received.readInt32BE(0);
        this.#receive(received.subarray(4, end), socket);
        received = received.subarray(end);
      }
    });
  }

  #receive(frame: Buffer, socket: Socket): void {
    const reader = new ByteReader(frame);
    const header = { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32() };
    const clientId = reader.nullableString();
    const request: FakeRequest = {
      ...header,
      clientId,
      body: frame.subarray(reader.position),
      socket,
      answer: (body, headerVersion = 1) => {
        const writer = new ByteWriter().int32(4 + headerVersion + body.length).int32(header.correlationId);
        socket.write((headerVersion === 1 ? writer.tags() : writer).raw(body).finish());
      },
    };
    this.requests.push(request);
    if (this.answersHandshake && request.apiKey === API_VERSIONS.key) request.answer(apiVersionsAnswer(request), 0);
    else if (this.answersHandshake && request.apiKey === METADATA.key) request.answer(this.#metadataAnswer());
    const waiter = this.#waiters.find(({ apiKey }) => apiKey === request.apiKey);
    if (waiter === undefined) return;
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter.resolve(request);
  }

  #metadataAnswer(): Buffer {
    return new ByteWriter()
      .int32(0)
      .compactArray([this.port], (w, port) => w.int32(1).compactString("127.0.0.1").int32(port).uvarint(0).tags())
      .compactNullableString("fake")
      .int32(1)
      .compactArray([], () => {})
      .int32(0)
      .tags()
      .finish();
  }
}

function apiVersionsAnswer({ apiVersion }: FakeRequest): Buffer {
  const ranges = KAFKA_APIS.map(({ key, versions }) => ({ key, max: versions.at(-1) ?? 0 }));
  if (apiVersion < 3) {
    return new ByteWriter()
      .int16(0)
      .array(ranges, (w, { key, max }) => w.int16(key).int16(0).int16(max))
      .int32(0)
      .finish();
  }
  return new ByteWriter()
    .int16(0)
    .compactArray(ranges, (w, { key, max }) => w.int16(key).int16(0).int16(max).tags())
    .int32(0)
    .tags()
    .finish();
}

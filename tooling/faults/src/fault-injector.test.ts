import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultInjector } from "./fault-injector.ts";
import { FrameSplitter } from "./frame-splitter.ts";
import { withSize } from "./frame.ts";

const END_TXN = 26;
const PRODUCE = 0;

/** A broker that answers each request with its correlation id, and remembers what came. */
let server: Server;
let port: number;
let arrived: number[];

beforeEach(async () => {
  arrived = [];
  server = createServer((connection) => {
    const frames = new FrameSplitter();
    connection.on("error", () => {});
    connection.on("data", (chunk) => {
      for (const payload of frames.push(chunk)) {
        const correlationId = payload.readInt32BE(4);
        arrived.push(correlationId);
        connection.write(withSize(payload.subarray(4, 8)));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as { port: number }).port;
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
});

function request(apiKey: number, correlationId: number): Buffer {
  const payload = Buffer.alloc(12);
  payload.writeInt16BE(apiKey, 0);
  payload.writeInt16BE(3, 2);
  payload.writeInt32BE(correlationId, 4);
  return withSize(payload);
}

/** A client that sends requests and waits for answers by correlation id. */
class TestClient implements Disposable {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  readonly answers: number[] = [];
  readonly #connected: Promise<void>;
  #waiters: (() => void)[] = [];

  constructor(faults: FaultInjector) {
    let onConnect = (): void => {};
    this.#connected = new Promise((resolve) => {
      onConnect = resolve;
    });
    this.socket = faults.socketFactory({ host: "127.0.0.1", port, onConnect });
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.on("error", () => {});
    const frames = new FrameSplitter();
    this.socket.on("data", (chunk) => {
      for (const payload of frames.push(chunk)) this.answers.push(payload.readInt32BE(0));
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  async send(...requests: Buffer[]): Promise<void> {
    await this.#connected;
    for (const bytes of requests) this.socket.write(bytes);
  }

  async answered(correlationId: number): Promise<void> {
    while (!this.answers.includes(correlationId)) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

test("Without a fault requests and answers pass, in order, however the bytes are cut.", async () => {
  const faults = new FaultInjector();
  using client = new TestClient(faults);
  const bytes = Buffer.concat([request(PRODUCE, 1), request(END_TXN, 2), request(PRODUCE, 3)]);
  await client.send(bytes.subarray(0, 2), bytes.subarray(2, 17), bytes.subarray(17, 40), bytes.subarray(40));
  await client.answered(3);
  expect(arrived).toEqual([1, 2, 3]);
  expect(client.answers).toEqual([1, 2, 3]);
});

test("A dropped request never arrives, a dropped answer never comes back, and the connection stays.", async () => {
  const faults = new FaultInjector();
  using client = new TestClient(faults);
  const request2 = faults.arm({ api: "EndTxn", on: "request", action: "drop" });
  const answer3 = faults.arm({ api: "EndTxn", on: "response", action: "drop" });
  await client.send(request(PRODUCE, 1), request(END_TXN, 2), request(END_TXN, 3), request(END_TXN, 4));
  await client.answered(4);
  expect(arrived).toEqual([1, 3, 4]);
  expect(client.answers).toEqual([1, 4]);
  expect([request2.strikes, answer3.strikes]).toEqual([1, 1]);
});

test("A hang-up closes the connection: before the broker has the request, or after it has.", async () => {
  const faults = new FaultInjector();
  faults.arm({ api: "Produce", on: "request", action: "hang-up" });
  using first = new TestClient(faults);
  await first.send(request(PRODUCE, 1));
  await first.closed;
  faults.arm({ api: "Produce", on: "response", action: "hang-up" });
  using second = new TestClient(faults);
  await second.send(request(PRODUCE, 2));
  await second.closed;
  expect(arrived).toEqual([2]);
  expect([first.answers, second.answers]).toEqual([[], []]);
});

test("A held request holds what is behind it, and arrives when released even though the client is gone.", async () => {
  const faults = new FaultInjector();
  using client = new TestClient(faults);
  const held = faults.arm({ api: "Produce", on: "request", action: "hold" });
  await client.send(request(PRODUCE, 1), request(END_TXN, 2));
  expect((await held.struck).correlationId).toBe(1);
  client.socket.destroy();
  await client.closed;
  expect(arrived).toEqual([]);
  await held.release();
  expect(arrived).toEqual([1, 2]);
});

test("A held answer comes when it is released.", async () => {
  const faults = new FaultInjector();
  using client = new TestClient(faults);
  const held = faults.arm({ api: "Produce", on: "response", action: "hold" });
  await client.send(request(PRODUCE, 1), request(END_TXN, 2));
  await held.struck;
  expect(client.answers).toEqual([]);
  await held.release();
  await client.answered(2);
  expect(client.answers).toEqual([1, 2]);
});

test("A function's payload arrives in place of the frame's, whatever its size.", async () => {
  const faults = new FaultInjector();
  using client = new TestClient(faults);
  faults.arm({
    api: "Produce",
    on: "response",
    action: (payload) => {
      payload.writeInt32BE(77);
      return Buffer.concat([payload, Buffer.alloc(1_000)]);
    },
  });
  await client.send(request(PRODUCE, 1), request(PRODUCE, 2));
  await client.answered(2);
  expect(client.answers).toEqual([77, 2]);
});

test("A fault strikes as often as it says, and only the frames it matches.", async () => {
  const faults = new FaultInjector();
  using client = new TestClient(faults);
  const fault = faults.arm({
    api: "Produce",
    on: "response",
    action: "drop",
    times: 2,
    matching: ({ correlationId }) => correlationId > 1,
  });
  await client.send(...[1, 2, 3, 4].map((id) => request(PRODUCE, id)));
  await client.answered(4);
  expect(client.answers).toEqual([1, 4]);
  expect(fault.strikes).toBe(2);
  fault.disarm();
});

test("A recording names API, version and correlation id of every frame, struck ones included.", async () => {
  const faults = new FaultInjector();
  using client = new TestClient(faults);
  const recorded = faults.record("EndTxn");
  faults.arm({ api: "EndTxn", on: "request", action: "drop" });
  await client.send(request(END_TXN, 1), request(PRODUCE, 2), request(END_TXN, 3));
  await client.answered(3);
  expect(recorded.map(({ api, apiVersion, correlationId }) => [api, apiVersion, correlationId])).toEqual([
    ["EndTxn", 3, 1],
    ["EndTxn", 3, 3],
  ]);
});

test("Hanging up ends every connection.", async () => {
  const faults = new FaultInjector();
  using first = new TestClient(faults);
  using second = new TestClient(faults);
  await Promise.all([first.send(request(PRODUCE, 1)), second.send(request(PRODUCE, 1))]);
  await Promise.all([first.answered(1), second.answered(1)]);
  expect(faults.connectionCount).toBe(2);
  faults.hangUp();
  await Promise.all([first.closed, second.closed]);
  expect(faults.connectionCount).toBe(0);
});

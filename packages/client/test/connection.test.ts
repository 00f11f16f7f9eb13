import { silentLogger } from "@eos/core";
import { afterEach, describe, expect, test } from "vitest";
import { FakeBroker } from "./fake-broker.ts";
import { Cluster } from "../src/network/cluster.ts";
import { resolveClientOptions, type ClientOptions } from "../src/options.ts";
import { API_VERSIONS, HEARTBEAT, METADATA } from "../src/protocol/apis.ts";
import { ByteWriter } from "../src/protocol/byte-writer.ts";
import { heartbeat } from "../src/protocol/heartbeat.ts";
import { joinGroup } from "../src/protocol/join-group.ts";

const beat = heartbeat({ groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null });
const clusters: Cluster[] = [];

afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
});

function createCluster(options: ClientOptions): Cluster {
  const cluster = new Cluster(resolveClientOptions("createClient", { logger: silentLogger, ...options }));
  clusters.push(cluster);
  return cluster;
}

function heartbeatAnswer(errorCode: number, throttleTimeMs = 0): Buffer {
  return new ByteWriter().int32(throttleTimeMs).int16(errorCode).tags().finish();
}

async function connected(broker: FakeBroker, options: Partial<ClientOptions> = {}): Promise<Cluster> {
  const cluster = createCluster({ brokers: [broker.address], clientId: "zürich", ...options });
  await cluster.connect();
  return cluster;
}

describe("a connection", () => {
  test("sends requests in the order of the calls, with the client id, and matches answers that come in another order", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = await connected(broker);
    const arrivals = Array.from({ length: 3 }, () => broker.request(HEARTBEAT.key));
    const answers = [cluster.send(1, beat), cluster.send(1, beat), cluster.send(1, beat)];
    const requests = await Promise.all(arrivals);
    expect(requests.map(({ clientId }) => clientId)).toEqual(["zürich", "zürich", "zürich"]);
    const ids = requests.map(({ correlationId }) => correlationId);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    // The flexible request header ends with a tag buffer; the body follows.
    expect(requests[0]?.body).toEqual(Buffer.concat([Buffer.from([0]), ...beat.body]));
    for (const index of [2, 0, 1]) requests[index]?.answer(heartbeatAnswer(index));
    expect((await Promise.all(answers)).map(({ errorCode }) => errorCode)).toEqual([0, 1, 2]);
  });

  test("that timed out is torn down: a late answer is nobody's, and the next request has a connection of its own", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = await connected(broker, { requestTimeoutMs: 150 });
    const arrival = broker.request(HEARTBEAT.key);
    const lost = cluster.send(1, beat);
    const alongside = cluster.send(1, joinGroupHeldFor(60_000));
    const late = await arrival;
    await expect(lost).rejects.toMatchObject({ code: "EOS_REQUEST_TIMEOUT", severity: "retriable" });
    await expect(alongside).rejects.toMatchObject({ code: "EOS_CONNECTION", severity: "retriable" });
    late.answer(heartbeatAnswer(25));

    const next = broker.request(HEARTBEAT.key);
    const answer = cluster.send(1, beat);
    const request = await next;
    expect(request.socket).not.toBe(late.socket);
    request.answer(heartbeatAnswer(0));
    expect((await answer).errorCode).toBe(0);
  });

  test("waits longer for a request that the broker holds back on purpose", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = await connected(broker, { requestTimeoutMs: 100 });
    const arrival = broker.request(11);
    const answer = cluster.send(1, joinGroupHeldFor(1_000));
    const request = await arrival;
    await new Promise((resolve) => setTimeout(resolve, 300));
    request.answer(Buffer.from("00000000004f ffffffff 00 00 01 09 6d656d6265722d37 01 00".replaceAll(" ", ""), "hex"));
    expect(await answer).toMatchObject({ errorCode: 79, memberId: "member-7" });
  });

  test("that the broker closes rejects what is in flight at once, and the next request connects again", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = await connected(broker);
    const arrival = broker.request(HEARTBEAT.key);
    const lost = cluster.send(1, beat);
    (await arrival).socket.end();
    await expect(lost).rejects.toMatchObject({ code: "EOS_CONNECTION" });

    const next = broker.request(HEARTBEAT.key);
    const answer = cluster.send(1, beat);
    (await next).answer(heartbeatAnswer(0));
    expect((await answer).errorCode).toBe(0);
  });

  test("is made once, however many requests wait for it, and once more for the fetch lane", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = createCluster({ brokers: [broker.address] });
    const arrivals = Array.from({ length: 4 }, () => broker.request(HEARTBEAT.key));
    const answers = [
      cluster.send(1, beat),
      cluster.send(1, beat),
      cluster.send(1, beat, "fetch"),
      cluster.send(1, beat, "fetch"),
    ];
    for (const arrival of arrivals) (await arrival).answer(heartbeatAnswer(0));
    await Promise.all(answers);
    expect(broker.sockets.size).toBe(2);
  });

  test("is quiet for as long as the broker asks", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = await connected(broker);
    const first = broker.request(HEARTBEAT.key);
    const throttled = cluster.send(1, beat);
    (await first).answer(heartbeatAnswer(0, 200));
    await throttled;
    const second = broker.request(HEARTBEAT.key);
    const startedAt = performance.now();
    const answer = cluster.send(1, beat);
    (await second).answer(heartbeatAnswer(0));
    await answer;
    expect(performance.now() - startedAt).toBeGreaterThan(150);
  });

  test("to a listener that accepts and says nothing is given up in time, with a hint", async () => {
    await using broker = await FakeBroker.listen();
    broker.answersHandshake = false;
    const cluster = createCluster({ brokers: [broker.address], connectionTimeoutMs: 150 });
    await expect(cluster.connect()).rejects.toMatchObject({
      code: "EOS_CONNECTION",
      message: expect.stringContaining(
        `${broker.address} (Cannot connect to ${broker.address}: no answer within 150 ms)`,
      ),
    });
  });
});

describe("closing", () => {
  test("rejects what is in flight instead of waiting for it", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = await connected(broker);
    const arrival = broker.request(HEARTBEAT.key);
    const lost = cluster.send(1, beat);
    const rejection = expect(lost).rejects.toMatchObject({ code: "EOS_CLIENT_CLOSED", severity: "fatal" });
    await arrival;
    await cluster.close();
    await rejection;
    await expect(cluster.send(1, beat)).rejects.toMatchObject({ code: "EOS_CLIENT_CLOSED" });
    await expect(cluster.connect()).rejects.toMatchObject({ code: "EOS_CLIENT_CLOSED" });
  });

  test("ends a connection that is being made", async () => {
    await using broker = await FakeBroker.listen();
    broker.answersHandshake = false;
    const cluster = createCluster({ brokers: [broker.address] });
    const arrival = broker.request(API_VERSIONS.key);
    const connecting = cluster.connect();
    const rejection = expect(connecting).rejects.toMatchObject({ code: "EOS_CLIENT_CLOSED" });
    const { socket } = await arrival;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await cluster.close();
    await rejection;
    await closed;
  });
});

describe("the bootstrap brokers", () => {
  test("are tried one after the other", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = createCluster({ brokers: ["127.0.0.1:1", broker.address] });
    await cluster.connect();
    expect(cluster.brokerCount).toBe(1);
  });

  test("that all fail are all named, with causes, in one error", async () => {
    const cluster = createCluster({
      brokers: ["no-such-host.invalid:9092", "127.0.0.1:1"],
      connectionTimeoutMs: 2_000,
    });
    await expect(cluster.connect()).rejects.toMatchObject({
      code: "EOS_CONNECTION",
      severity: "retriable",
      message: expect.stringMatching(/no-such-host\.invalid:9092 \(.*\); 127\.0\.0\.1:1 \(.*ECONNREFUSED/),
      hint: expect.stringContaining("is the broker up"),
    });
  });

  test("may come from a function, which is asked again when no known broker answers", async () => {
    const first = await FakeBroker.listen();
    let brokers = [first.address];
    const cluster = createCluster({ brokers: () => Promise.resolve(brokers) });
    await cluster.connect();
    await first.close();
    await using second = await FakeBroker.listen();
    brokers = [second.address];
    await cluster.refreshMetadata();
    const arrival = second.request(HEARTBEAT.key);
    const answer = cluster.send(1, beat);
    (await arrival).answer(heartbeatAnswer(0));
    await answer;
  });

  test("under a name that the cluster does not advertise answer what they were asked before they are left", async () => {
    await using broker = await FakeBroker.listen();
    const cluster = createCluster({ brokers: [`localhost:${broker.port}`] });
    broker.answersHandshake = true;
    const [heldBack] = await Promise.all([broker.request(METADATA.key), cluster.connect()]);
    expect(heldBack.socket.remoteAddress).toBe("127.0.0.1");
    const arrival = broker.request(HEARTBEAT.key);
    const answer = cluster.send(1, beat);
    const request = await arrival;
    expect(request.socket).not.toBe(heldBack.socket);
    request.answer(heartbeatAnswer(0));
    expect((await answer).errorCode).toBe(0);
  });
});

function joinGroupHeldFor(rebalanceTimeoutMs: number) {
  return joinGroup({
    groupId: "g",
    sessionTimeoutMs: 1_000,
    rebalanceTimeoutMs,
    memberId: "",
    groupInstanceId: null,
    protocolType: "consumer",
    protocols: [],
  });
}

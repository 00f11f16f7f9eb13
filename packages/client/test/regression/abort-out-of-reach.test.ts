import { stringSerde } from "@eos/core";
import { type Client, createProducer, TransactionAbortedError } from "@eos/client";
import { FaultInjector } from "@tooling/faults";
import { testBroker } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectClient, createTopic, readValues } from "./our-client.ts";

let client: Client;

beforeAll(async () => {
  client = await connectClient();
});

afterAll(async () => {
  await client?.close();
});

describe("A producer whose refused batch cannot be given up, because no broker answers meanwhile", () => {
  test("rejects the sends and goes on when there is one again.", async () => {
    const topic = await createTopic(client);
    const faults = new FaultInjector();
    await using producer = createProducer({ brokers: testBroker().brokers, socketFactory: faults.socketFactory });
    await producer.start();
    const send = (value: string) => producer.send({ topic, value: stringSerde, records: [{ value }] });
    await send("before");
    // Its checksum is wrong then, and the broker refuses it.
    const damaged = faults.arm({
      api: "Produce",
      on: "request",
      action: (payload) => {
        payload.writeInt16BE(0x7fff, payload.indexOf("refused") - 30);
        return payload;
      },
    });
    const away = faults.arm({ api: "InitProducerId", on: "request", action: "hang-up", times: Infinity });
    await expect(send("refused")).rejects.toThrow(TransactionAbortedError);
    expect(damaged.strikes).toBe(1);
    await away.struck;
    await expect(send("too early")).rejects.toThrow();
    away.disarm();
    await expect
      .poll(
        () =>
          send("after").then(
            () => "sent",
            () => "refused",
          ),
        { interval: 50, timeout: 10_000 },
      )
      .toBe("sent");
    expect(await readValues(client, topic)).toEqual(["before", "after"]);
  });
});

import type { Client } from "@eos/client";
import { FaultInjector } from "@tooling/faults";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, groupOffsets, noGeneration, readValues } from "./our-client.ts";
import { sendText, stockKafka, stockTransactionalProducer } from "./stock-kafkajs.ts";

const CORRELATION_ID_AT = 4;

const faults = new FaultInjector();
let client: Client;
let topic: string;

beforeAll(async () => {
  client = await connectClient({ socketFactory: faults.socketFactory, requestTimeoutMs: 500 });
  topic = await createTopic(client);
});

afterAll(async () => {
  await client?.close();
});

/** The request without what tells one sending of it from another. */
function bytes(payload: Buffer): string {
  return (
    payload.subarray(0, CORRELATION_ID_AT).toString("hex") + payload.subarray(CORRELATION_ID_AT + 4).toString("hex")
  );
}

const losses = ([1, 2] as const).flatMap((transactionVersion) =>
  (["request", "response"] as const).flatMap((on) =>
    (["drop", "hang-up"] as const).map((action) => ({ transactionVersion, on, action })),
  ),
);

describe.each(losses)(
  "An EndTxn whose $on is lost (version $transactionVersion, $action)",
  ({ transactionVersion, on, action }) => {
    test("is sent again: the commit resolves, with the records there once.", async () => {
      const producer = await client.producer({ transactionalId: uniqueName("tx"), transactionVersion });
      await producer.init();
      const groupId = uniqueName("group");
      const [first, second] = [uniqueName("first"), uniqueName("second")];
      const sent = faults.record("EndTxn");
      const lost = faults.arm({ api: "EndTxn", on, action, times: 2 });
      await append(producer, topic, first);
      await producer.commit(groupOffsets(noGeneration(groupId), topic, 1));
      expect(lost.strikes).toBe(2);
      expect(new Set(sent.map(({ payload }) => bytes(payload))).size).toBe(1);
      // The epoch that the lost answers brought is known after all: the next transaction has it.
      await append(producer, topic, second);
      await producer.commit(groupOffsets(noGeneration(groupId), topic, 2));
      producer.close();
      const values = await readValues(client, topic);
      expect(values.filter((value) => value === first || value === second)).toEqual([first, second]);
      await expect
        .poll(async () => (await client.admin.committedOffsets(groupId, [{ topic, partition: 0 }]))[0]?.offset, {
          interval: 20,
        })
        .toBe(2);
    });

    test("is sent again when it aborts, too: nothing is visible.", async () => {
      const producer = await client.producer({ transactionalId: uniqueName("tx"), transactionVersion });
      await producer.init();
      const [refused, next] = [uniqueName("refused"), uniqueName("next")];
      await append(producer, topic, refused);
      // The record is at the broker, the transaction open, and the group does not exist in this generation.
      const stale = { ...noGeneration(uniqueName("group")), generationId: 5, memberId: "nobody" };
      await expect(producer.commit(groupOffsets(stale, topic, 1))).rejects.toThrow();
      const lost = faults.arm({ api: "EndTxn", on, action });
      await producer.abort();
      expect(lost.strikes).toBe(1);
      await append(producer, topic, next);
      await producer.commit([]);
      producer.close();
      const values = await readValues(client, topic);
      expect(values.filter((value) => value === refused || value === next)).toEqual([next]);
    });
  },
);

describe("stock kafkajs", () => {
  test("commits, says that it did not, and can neither abort nor go on.", async () => {
    const stockTopic = await createTopic(client);
    const stockFaults = new FaultInjector();
    const producer = await stockTransactionalProducer(
      stockKafka({ socketFactory: stockFaults.socketFactory, requestTimeout: 500 }),
    );
    const transaction = await producer.transaction();
    await sendText(transaction, stockTopic, "A");
    stockFaults.arm({ api: "EndTxn", on: "response", action: "drop" });
    await expect(transaction.commit()).rejects.toThrow();
    await expect(transaction.abort()).rejects.toThrow();
    await expect(producer.transaction()).rejects.toThrow();
    await producer.disconnect();
    await expect.poll(() => readValues(client, stockTopic), { interval: 50 }).toEqual(["A"]);
  });
});

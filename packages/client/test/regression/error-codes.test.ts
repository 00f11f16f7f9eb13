import { createRequire } from "node:module";
import {
  type Client,
  kafkaErrorClass,
  kafkaErrorName,
  ProducerFencedError,
  TransactionAbortedError,
} from "@eos/client";
import { FaultInjector } from "@tooling/faults";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";

const TRANSACTION_ABORTABLE = 120;

const faults = new FaultInjector();
let client: Client;

beforeAll(async () => {
  client = await connectClient({ socketFactory: faults.socketFactory });
});

afterAll(async () => {
  await client?.close();
});

describe("An error code beyond kafkajs' table", () => {
  test("has its name and its meaning, as all codes up to 133 have.", () => {
    for (let code = 0; code <= 133; code++) expect(kafkaErrorName(code)).toMatch(/^(?!UNKNOWN_ERROR_CODE)[A-Z_]+$/);
    expect([kafkaErrorName(90), kafkaErrorClass(90)]).toEqual(["PRODUCER_FENCED", "fenced"]);
    expect([kafkaErrorName(TRANSACTION_ABORTABLE), kafkaErrorClass(TRANSACTION_ABORTABLE)]).toEqual([
      "TRANSACTION_ABORTABLE",
      "abort",
    ]);
  });

  test("PRODUCER_FENCED closes the producer whose id was taken over.", async () => {
    for (const transactionVersion of [1, 2] as const) {
      const topic = await createTopic(client);
      const transactionalId = uniqueName("tx");
      const [first, second] = await Promise.all([
        client.producer({ transactionalId, transactionVersion }),
        client.producer({ transactionalId, transactionVersion }),
      ]);
      await first.init();
      await append(first, topic, "zombie");
      await second.init();
      const error: unknown = await first.commit([]).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ProducerFencedError);
      expect(first.state).toBe("fenced");
      await append(second, topic, "successor");
      await second.commit([]);
      second.close();
      expect(await readValues(client, topic)).toEqual(["successor"]);
    }
  });

  test("TRANSACTION_ABORTABLE aborts, and the producer goes on.", async () => {
    const topic = await createTopic(client);
    const producer = await client.producer({ transactionalId: uniqueName("tx"), transactionVersion: 2 });
    await producer.init();
    const refused = faults.arm({
      api: "Produce",
      on: "response",
      // Correlation id, tags, one topic with its name, one partition with its number; then the code.
      action: (payload) => {
        payload.writeInt16BE(TRANSACTION_ABORTABLE, 4 + 1 + 1 + 1 + Buffer.byteLength(topic) + 1 + 4);
        return payload;
      },
    });
    await append(producer, topic, "abortable");
    const error: unknown = await producer.commit([]).catch((e: unknown) => e);
    expect(refused.strikes).toBe(1);
    expect(error).toBeInstanceOf(TransactionAbortedError);
    expect((error as Error).cause).toMatchObject({ kafkaName: "TRANSACTION_ABORTABLE", severity: "abortable" });
    await producer.abort();
    await append(producer, topic, "next");
    await producer.commit([]);
    producer.close();
    expect(await readValues(client, topic)).toEqual(["next"]);
  });
});

describe("stock kafkajs", () => {
  test("calls every code above 88 unknown, and none of them can be told from another.", () => {
    const require = createRequire(import.meta.url);
    const { createErrorFromCode } = require("kafkajs/src/protocol/error.js") as {
      createErrorFromCode(code: number): { readonly type: string; readonly code: number };
    };
    for (const code of [90, TRANSACTION_ABORTABLE]) {
      expect(createErrorFromCode(code)).toMatchObject({ type: "KAFKAJS_UNKNOWN_ERROR_CODE", code: -99 });
    }
  });
});

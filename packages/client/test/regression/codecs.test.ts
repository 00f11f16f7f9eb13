import type { Client, CodecName } from "@eos/client";
import { uniqueName } from "@tooling/kafka/testing";
import { CompressionTypes } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";

const CODECS: readonly CodecName[] = ["gzip", "snappy", "lz4", "zstd"];
const VALUES = Array.from({ length: 500 }, (_, i) => `value ${i} ${"abc".repeat(i % 50)}`);

let client: Client;

beforeAll(async () => {
  client = await connectClient();
});

afterAll(async () => {
  await client?.close();
});

async function produce(topic: string, compression: CodecName | "none"): Promise<void> {
  const producer = await client.producer({ transactionalId: uniqueName("tx"), compression });
  await producer.init();
  await append(producer, topic, ...VALUES);
  await producer.commit([]);
  producer.close();
}

describe.each(CODECS)("Records compressed by %s", (codec) => {
  test("are read by the broker, which compresses them anew by every other codec, and those are read here.", async () => {
    for (const stored of CODECS) {
      const topic = await createTopic(client, { config: { "compression.type": stored } });
      await produce(topic, codec);
      expect(await readValues(client, topic)).toEqual(VALUES);
    }
  });

  test("come back as they were sent when the broker leaves them as they are.", async () => {
    const topic = await createTopic(client, { config: { "compression.type": "producer" } });
    await produce(topic, codec);
    expect(await readValues(client, topic)).toEqual(VALUES);
  });
});

describe("stock kafkajs", () => {
  test.each([CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD])(
    "cannot write codec %d.",
    async (compression) => {
      const topic = await createTopic(client);
      const producer = stockKafka().producer();
      await producer.connect();
      await expect(producer.send({ topic, compression, messages: [{ value: "x" }] })).rejects.toThrow(
        /not implemented/,
      );
      await producer.disconnect();
    },
  );
});

import { type Client, type CodecName, MissingCodecError } from "@eos/client";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { append, connectClient, createTopic, readValues } from "./our-client.ts";

// As on a machine where none of the optional packages is installed.
vi.mock("../../src/records/optional-module.ts", () => ({ loadOptionalModule: () => undefined }));

const PACKAGES: readonly (readonly [CodecName, string])[] = [
  ["snappy", "snappy"],
  ["lz4", "lz4-napi"],
];

let client: Client;

beforeAll(async () => {
  client = await connectClient();
});

afterAll(async () => {
  await client?.close();
});

describe.each(PACKAGES)("A codec whose package is not installed: %s", (codec, packageName) => {
  const expected = expect.objectContaining({
    code: "EOS_CODEC_MISSING",
    hint: expect.stringContaining(`'${packageName}'`),
  });

  test("stops the reader with an error that names the package.", async () => {
    const topic = await createTopic(client, { config: { "compression.type": codec } });
    const producer = await client.producer({ transactionalId: null, compression: "gzip" });
    await producer.init();
    await append(producer, topic, "compressed anew by the broker");
    await producer.commit([]);
    producer.close();
    const error: unknown = await readValues(client, topic).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MissingCodecError);
    expect(error).toEqual(expected);
  });

  test("is an error when the producer is made, not when it sends.", async () => {
    await expect(client.producer({ transactionalId: null, compression: codec })).rejects.toEqual(expected);
  });
});

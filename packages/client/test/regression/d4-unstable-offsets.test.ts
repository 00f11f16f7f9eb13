import type { Client } from "@eos/client";
import { FaultInjector } from "@tooling/faults";
import { uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { append, connectClient, createTopic, groupOffsets, noGeneration } from "./our-client.ts";
import { stockKafka } from "./stock-kafkajs.ts";

const UNSTABLE_OFFSET_COMMIT = 88;

const faults = new FaultInjector();
let owner: Client;
let successor: Client;
let topic: string;

beforeAll(async () => {
  [owner, successor] = await Promise.all([connectClient({ socketFactory: faults.socketFactory }), connectClient()]);
  topic = await createTopic(owner);
});

afterAll(async () => {
  await Promise.all([owner?.close(), successor?.close()]);
});

/** The owner's transaction has sent records and offsets, and its end is on the way. */
async function whileCommitting(
  groupId: string,
  transactionVersion: 1 | 2,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const producer = await owner.producer({ transactionalId: uniqueName("tx"), transactionVersion });
  await producer.init();
  await append(producer, topic, "m0", "m1", "m2", "m3", "m4");
  const end = faults.arm({ api: "EndTxn", on: "request", action: "hold" });
  const committed = producer.commit(groupOffsets(noGeneration(groupId), topic, 5));
  await end.struck;
  try {
    await meanwhile();
  } finally {
    await end.release();
    await committed;
  }
  producer.close();
}

describe.each([1, 2] as const)("D4: an offset whose transaction has not ended (version %d)", (transactionVersion) => {
  test("is called unstable instead of the offset before it.", async () => {
    const groupId = uniqueName("group");
    const ask = async (requireStable: boolean) => {
      const [answer] = await successor.admin.committedOffsets(groupId, [{ topic, partition: 0 }], { requireStable });
      return [answer?.errorCode, answer?.offset];
    };
    await whileCommitting(groupId, transactionVersion, async () => {
      expect((await ask(true))[0]).toBe(UNSTABLE_OFFSET_COMMIT);
      expect(await ask(false)).toEqual([0, -1]);
    });
    // The markers of the transaction are written after EndTxn's answer.
    await expect.poll(() => ask(true), { interval: 20 }).toEqual([0, 5]);
  });
});

describe("stock kafkajs", () => {
  test("is told the offset before it, and would process the records again.", async () => {
    const groupId = uniqueName("group");
    const admin = stockKafka().admin();
    await admin.connect();
    await whileCommitting(groupId, 2, async () => {
      const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] });
      expect(answer?.partitions[0]?.offset).toBe("-1");
    });
    await admin.disconnect();
  });
});

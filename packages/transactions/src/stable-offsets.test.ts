import type { Admin, CommittedOffset } from "@eos/client";
import type { Clock, Logger } from "@eos/core";
import { silentLogger } from "@eos/core";
import { describe, expect, it } from "vitest";
import { stableOffsets, type StableOffsetsOptions } from "./stable-offsets.ts";

const UNSTABLE_OFFSET_COMMIT = 88;
const TRANSACTION_TIMEOUT_MS = 10_000;
const PARTITION = { topic: "in", partition: 0 };

interface Held {
  readonly options: StableOffsetsOptions;
  readonly errors: { readonly fields: object; readonly atMs: number }[];
}

/** The offset of a partition that a transaction holds for `heldMs` of a clock that only sleeping moves. */
function held(heldMs: number, signal = new AbortController().signal): Held {
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => void (nowMs += ms),
  };
  const errors: { fields: object; atMs: number }[] = [];
  const logger: Logger = { ...silentLogger, error: (fields) => void errors.push({ fields, atMs: nowMs }) };
  const committedOffsets = async (): Promise<CommittedOffset[]> => [
    { ...PARTITION, offset: 7, metadata: null, errorCode: nowMs < heldMs ? UNSTABLE_OFFSET_COMMIT : 0 },
  ];
  return {
    errors,
    options: {
      admin: { committedOffsets } as unknown as Admin,
      clock,
      logger,
      applicationId: "app",
      ownTransactionalId: null,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
      signal,
    },
  };
}

describe("stable offsets", () => {
  it("are waited for, without a word, for as long as a transaction may last and the broker may take to end it", async () => {
    const { options, errors } = held(TRANSACTION_TIMEOUT_MS + 15_000);
    const [committed] = await stableOffsets([PARTITION], options);
    expect(committed).toEqual({ ...PARTITION, offset: 7, transactionalId: null });
    expect(errors).toEqual([]);
  });

  it("are reported once as held by a transaction without an end after that, and waited for", async () => {
    const { options, errors } = held(120_000);
    const [committed] = await stableOffsets([PARTITION], options);
    expect(committed?.offset).toBe(7);
    expect(errors).toEqual([{ atMs: 25_020, fields: { groupId: "app", partitions: ["in-0"], heldMs: 25_020 } }]);
  });

  it("are not waited for once nobody needs them any more", async () => {
    const { options } = held(Infinity, AbortSignal.abort());
    await expect(stableOffsets([PARTITION], options)).rejects.toThrow("aborted");
  });
});

import { describe, expect, test } from "vitest";
import { AuthorizationError, BrokerError, FencedInstanceIdError } from "../errors/errors.ts";
import { FastClock } from "../fast-clock-fixture.ts";
import type { Cluster } from "../network/cluster.ts";
import { OffsetBatch } from "../producer/group-offsets.ts";
import { commitOffsets } from "./commit-offsets.ts";

const REQUEST_TIMED_OUT = 7;
const OFFSET_METADATA_TOO_LARGE = 12;
const NOT_COORDINATOR = 16;
const ILLEGAL_GENERATION = 22;
const GROUP_AUTHORIZATION_FAILED = 30;
const FENCED_INSTANCE_ID = 82;

/** Commits three partitions; each answer has their codes. @returns how often was asked, and what came of it */
async function commit(...answers: number[][]): Promise<{ asked: number; forgotten: number; error: unknown }> {
  const seen = { asked: 0, forgotten: 0 };
  const cluster = {
    coordinator: () => Promise.resolve(1),
    forgetCoordinator: () => void seen.forgotten++,
    send: () => {
      const codes = answers[Math.min(seen.asked++, answers.length - 1)] ?? [];
      const partitions = codes.map((errorCode, partition) => ({ partition, errorCode }));
      return Promise.resolve({ topics: [{ topic: "in", partitions }] });
    },
  } as unknown as Cluster;
  const offsets = new OffsetBatch();
  for (const partition of [0, 1, 2]) offsets.set("in", partition, 1, "");
  const generation = { groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null };
  const error: unknown = await commitOffsets(cluster, new FastClock(), { generation, offsets }).catch(
    (e: unknown) => e,
  );
  return { ...seen, error };
}

describe("commitOffsets", () => {
  test("asks again, where the coordinator is now, until all partitions are committed.", async () => {
    const outcome = await commit([0, NOT_COORDINATOR, 0], [REQUEST_TIMED_OUT, 0, 0], [0, 0, 0]);
    expect(outcome).toEqual({ asked: 3, forgotten: 2, error: undefined });
  });

  test.each([
    [FENCED_INSTANCE_ID, FencedInstanceIdError, "fatal"],
    [GROUP_AUTHORIZATION_FAILED, AuthorizationError, "fatal"],
    [OFFSET_METADATA_TOO_LARGE, BrokerError, "fatal"],
    [ILLEGAL_GENERATION, BrokerError, "abortable"],
  ] as const)(
    "throws what code %i is, and names the first partition refused for good.",
    async (code, type, severity) => {
      const { asked, error } = await commit([NOT_COORDINATOR, code, code]);
      expect(asked).toBe(1);
      expect(error).toBeInstanceOf(type);
      expect(error).toMatchObject({ kafkaCode: code, severity, message: expect.stringContaining("in-1") as unknown });
    },
  );

  test("gives up in the end.", async () => {
    const { error } = await commit([0, 0, NOT_COORDINATOR]);
    expect(error).toMatchObject({ kafkaCode: NOT_COORDINATOR, severity: "retriable" });
  });
});

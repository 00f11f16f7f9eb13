import type { MemberSubscription } from "@eos/client";
import { describe, expect, test } from "vitest";
import { coPartitionedAssignor } from "./co-partitioned-assignor.ts";
import { CoPartitioningError } from "./co-partitioning-error.ts";

function member(memberId: string, topics: readonly string[]): MemberSubscription {
  return { memberId, groupInstanceId: null, topics, ownedPartitions: [], generationId: -1, userData: null };
}

function assign(members: readonly MemberSubscription[], partitionCounts: { [topic: string]: number }) {
  return coPartitionedAssignor.assign(members, new Map(Object.entries(partitionCounts)));
}

describe("coPartitionedAssignor", () => {
  test("A partition goes to the same member in every topic.", () => {
    const assigned = assign([member("b", ["t1", "t0"]), member("a", ["t0", "t1"])], { t0: 3, t1: 3 });
    expect(assigned.get("a")).toEqual(
      new Map([
        ["t0", [0, 2]],
        ["t1", [0, 2]],
      ]),
    );
    expect(assigned.get("b")).toEqual(
      new Map([
        ["t0", [1]],
        ["t1", [1]],
      ]),
    );
  });

  test("A static member stands where it stood, whatever its member id.", () => {
    const join = (memberId: string) => ({ ...member(memberId, ["t0"]), groupInstanceId: "instance" });
    expect(assign([member("m", ["t0"]), join("z")], { t0: 1 }).get("z")).toEqual(new Map([["t0", [0]]]));
    expect(assign([join("a"), member("m", ["t0"])], { t0: 1 }).get("a")).toEqual(new Map([["t0", [0]]]));
  });

  test("Topics with different partition counts are refused, in the words of Kafka Streams.", () => {
    expect(() => assign([member("a", ["t1", "t0", "gone"])], { t1: 4, t0: 3 })).toThrow(
      expect.objectContaining({
        name: "CoPartitioningError",
        code: "EOS_CO_PARTITIONING",
        severity: "fatal",
        message: "Topics not co-partitioned: [{t0=3, t1=4}]",
      }),
    );
  });

  test("Members that do not subscribe to the same topics are refused by name.", () => {
    const members = [member("a", ["t0", "t1"]), member("b", ["t1"])];
    expect(() => assign(members, { t0: 3, t1: 3 })).toThrow(CoPartitioningError);
    expect(() => assign(members, { t0: 3, t1: 3 })).toThrow(
      "Topics not co-partitioned: [{t0=3, t1=3}]; member b does not subscribe to t0",
    );
  });

  test("A topic that does not exist yet is left out.", () => {
    const assigned = assign([member("a", ["t0", "later"])], { t0: 2 });
    expect(assigned.get("a")).toEqual(new Map([["t0", [0, 1]]]));
  });

  test("What was had of other topics, or of partitions that are gone, does not count.", () => {
    const claims = [
      { topic: "other", partition: 0 },
      { topic: "t0", partition: 7 },
    ];
    const claimant = { ...member("b", ["t0"]), ownedPartitions: claims, generationId: 5 };
    const assigned = assign([claimant, member("a", ["t0"])], { t0: 1 });
    expect(assigned.get("a")).toEqual(new Map([["t0", [0]]]));
    expect(assigned.get("b")).toEqual(new Map());
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stickyAssignor } from "./sticky-assignor.ts";
import { decodePreviousAssignment, encodePreviousAssignment } from "./user-data.ts";

const NOTHING = { partitions: [], generationId: -1 };
const topicPartition = fc.record({ topic: fc.constantFrom("orders", "zürich"), partition: fc.nat(2 ** 31 - 1) });

describe("The sticky assignor's user data", () => {
  // Java's StickyAssignor wrote these for orders-1 and orders-3 of generation 7.
  const JAVA = "0000000100066f726465727300000002000000010000000300000007";
  const previous = {
    partitions: [
      { topic: "orders", partition: 1 },
      { topic: "orders", partition: 3 },
    ],
    generationId: 7,
  };

  test("The bytes are those of Java's version 1.", () => {
    expect(encodePreviousAssignment(previous).toString("hex")).toBe(JAVA);
    expect(decodePreviousAssignment(Buffer.from(JAVA, "hex"))).toEqual(previous);
  });

  test("Version 0 has no generation.", () => {
    const version0 = Buffer.from(JAVA, "hex").subarray(0, -4);
    expect(decodePreviousAssignment(version0)).toEqual({ ...previous, generationId: -1 });
  });

  test("What was owned comes back, topic by topic.", () => {
    fc.assert(
      fc.property(fc.array(topicPartition), fc.nat(), (partitions, generationId) => {
        const decoded = decodePreviousAssignment(encodePreviousAssignment({ partitions, generationId }));
        expect(decoded.generationId).toBe(generationId);
        for (const topic of ["orders", "zürich"]) {
          const ofTopic = partitions.filter((partition) => partition.topic === topic);
          expect(decoded.partitions.filter((partition) => partition.topic === topic)).toEqual(ofTopic);
        }
        expect(decoded.partitions).toHaveLength(partitions.length);
      }),
    );
  });

  test("Bytes that end too early own nothing, whatever they begin with.", () => {
    const bytes = Buffer.from(JAVA, "hex");
    for (let length = 0; length < bytes.length - 4; length++) {
      expect(decodePreviousAssignment(bytes.subarray(0, length))).toEqual(NOTHING);
    }
  });

  test("Any bytes at all are read without an error.", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        decodePreviousAssignment(Buffer.from(bytes));
      }),
    );
    expect(decodePreviousAssignment(null)).toEqual(NOTHING);
  });

  test("A member that was never assigned anything sends none; one that was assigned nothing says so.", () => {
    expect(stickyAssignor.userData?.([], -1)).toBeNull();
    expect(stickyAssignor.userData?.([], 4)?.toString("hex")).toBe("0000000000000004");
  });
});

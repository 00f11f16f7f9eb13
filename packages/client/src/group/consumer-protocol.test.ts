import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeAssignment,
  decodeAssignmentUserData,
  decodeSubscription,
  decodeSubscriptionUserData,
  encodeAssignment,
  encodeSubscription,
} from "./consumer-protocol.ts";

const topicName = fc.string({ maxLength: 12, unit: "grapheme" });

describe("The consumer protocol", () => {
  test("A subscription comes back as it was written.", () => {
    fc.assert(
      fc.property(fc.array(topicName), (topics) => {
        expect(decodeSubscription(encodeSubscription(topics))).toEqual(topics);
      }),
    );
  });

  test("An assignment comes back as it was written.", () => {
    const assignments = fc.uniqueArray(fc.tuple(topicName, fc.array(fc.nat(2 ** 31 - 1))), {
      selector: ([topic]) => topic,
    });
    fc.assert(
      fc.property(assignments, (entries) => {
        const assignment = new Map(entries);
        expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment);
      }),
    );
  });

  test("The bytes are those of Java's version 0.", () => {
    expect(encodeSubscription(["in"]).toString("hex")).toBe("0000" + "00000001" + "0002696e" + "ffffffff");
    expect(encodeAssignment(new Map([["in", [0, 258]]])).toString("hex")).toBe(
      "0000" + "00000001" + "0002696e" + "00000002" + "00000000" + "00000102" + "ffffffff",
    );
  });

  test("What later versions append (owned partitions, generation, rack) does not disturb the topics.", () => {
    const version3 = Buffer.concat([encodeSubscription(["in", "other"]), Buffer.alloc(40, 7)]);
    version3.writeInt16BE(3);
    expect(decodeSubscription(version3)).toEqual(["in", "other"]);
  });

  test("A member that the leader gave nothing has an empty assignment, also when no bytes come.", () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual(new Map());
    expect(decodeAssignment(encodeAssignment(new Map()))).toEqual(new Map());
  });

  test("User data comes back as it was written, and is null where there is none.", () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.option(bytes), (userData) => {
        const assignment = new Map([["in", [0, 1]]]);
        expect(decodeSubscriptionUserData(encodeSubscription(["in"], userData))).toEqual(userData);
        expect(decodeAssignmentUserData(encodeAssignment(assignment, userData))).toEqual(userData);
        expect(decodeSubscription(encodeSubscription(["in"], userData))).toEqual(["in"]);
        expect(decodeAssignment(encodeAssignment(assignment, userData))).toEqual(assignment);
      }),
    );
    expect(decodeAssignmentUserData(Buffer.alloc(0))).toBeNull();
  });
});

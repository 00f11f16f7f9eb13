import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeAssignment,
  decodeAssignmentUserData,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  partitionsOf,
  type Subscription,
} from "./consumer-protocol.ts";

// What Kafka's own Java classes encode: see test/java/ProtocolGoldens.java.
const goldens = JSON.parse(readFileSync(new URL("../protocol/java-goldens.json", import.meta.url), "utf8")) as {
  readonly [name: string]: string;
};

function golden(name: string): Buffer {
  const hex = goldens[name];
  if (hex === undefined) throw new Error(`no golden ${name}`);
  return Buffer.from(hex, "hex");
}

const topicName = fc.string({ maxLength: 12, unit: "grapheme" });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const assignments = fc
  .uniqueArray(fc.tuple(topicName, fc.array(fc.nat(2 ** 31 - 1))), { selector: ([topic]) => topic })
  .map((entries) => new Map(entries));
const subscriptions: fc.Arbitrary<Subscription> = fc.record({
  topics: fc.array(topicName),
  userData: fc.option(bytes),
  ownedPartitions: assignments.map(partitionsOf),
  generationId: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
});

const JAVA: Subscription = {
  topics: ["orders", "audit"],
  userData: Buffer.from([1, 2, 3]),
  ownedPartitions: [
    { topic: "orders", partition: 2 },
    { topic: "audit", partition: 0 },
    { topic: "orders", partition: 0 },
  ],
  generationId: 7,
};

/** Java's order: by topic, then by partition. */
function sorted({ topics, ownedPartitions, ...rest }: Subscription): Subscription {
  return {
    ...rest,
    topics: [...topics].sort(),
    ownedPartitions: [...ownedPartitions].sort((a, b) =>
      a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
    ),
  };
}

describe("The consumer protocol", () => {
  test("A subscription comes back as it was written, in Java's order.", () => {
    fc.assert(
      fc.property(subscriptions, (subscription) => {
        expect(decodeSubscription(encodeSubscription(subscription))).toEqual(sorted(subscription));
      }),
    );
  });

  test("The same subscription in another order has the same bytes.", () => {
    const turned = {
      ...JAVA,
      topics: [...JAVA.topics].reverse(),
      ownedPartitions: [...JAVA.ownedPartitions].reverse(),
    };
    expect(encodeSubscription(turned)).toEqual(encodeSubscription(JAVA));
  });

  test("A subscription's bytes are those of Java's version 3.", () => {
    expect(encodeSubscription(JAVA).toString("hex")).toBe(golden("SubscriptionV3").toString("hex"));
    const first = { topics: ["in"], userData: null, ownedPartitions: [], generationId: -1 };
    expect(encodeSubscription(first).toString("hex")).toBe(golden("SubscriptionV3First").toString("hex"));
  });

  test("Every version of Java's is read, with what it has.", () => {
    const whole = sorted(JAVA);
    expect(decodeSubscription(golden("SubscriptionV3"))).toEqual(whole);
    expect(decodeSubscription(golden("SubscriptionV2"))).toEqual(whole);
    expect(decodeSubscription(golden("SubscriptionV1"))).toEqual({ ...whole, generationId: -1 });
    expect(decodeSubscription(golden("SubscriptionV0"))).toEqual({ ...whole, ownedPartitions: [], generationId: -1 });
  });

  test("A member that writes the number of a later version and not its fields owns nothing.", () => {
    const bare = Buffer.from(golden("SubscriptionV0"));
    for (const version of [1, 2, 3, 9]) {
      bare.writeInt16BE(version);
      expect(decodeSubscription(bare)).toEqual({ ...sorted(JAVA), ownedPartitions: [], generationId: -1 });
    }
  });

  test("An assignment comes back as it was written, with its user data.", () => {
    fc.assert(
      fc.property(assignments, fc.option(bytes), (assignment, userData) => {
        const written = encodeAssignment(assignment, userData);
        expect(decodeAssignment(written)).toEqual(assignment);
        expect(decodeAssignmentUserData(written)).toEqual(userData);
      }),
    );
  });

  test("An assignment's bytes are those of Java's version 0.", () => {
    expect(encodeAssignment(new Map([["in", [0, 258]]])).toString("hex")).toBe(
      "0000" + "00000001" + "0002696e" + "00000002" + "00000000" + "00000102" + "ffffffff",
    );
  });

  test("A member that the leader gave nothing has an empty assignment, also when no bytes come.", () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual(new Map());
    expect(decodeAssignment(encodeAssignment(new Map()))).toEqual(new Map());
    expect(decodeAssignmentUserData(Buffer.alloc(0))).toBeNull();
  });
});

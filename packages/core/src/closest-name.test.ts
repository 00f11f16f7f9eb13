import { describe, expect, it } from "vitest";
import { closestName } from "./closest-name.ts";

const known = ["sessionTimeoutMs", "maxPollIntervalMs", "brokers", "acks"];

describe("closestName", () => {
  it.each([
    ["sesionTimeoutMs", "sessionTimeoutMs"],
    ["sessionTimeout", "sessionTimeoutMs"],
    ["MAXPOLLINTERVALMS", "maxPollIntervalMs"],
    ["broker", "brokers"],
    ["ack", "acks"],
    ["compression", undefined],
    ["", undefined],
  ])("takes %j for %j", (given, meant) => {
    expect(closestName(given, known)).toBe(meant);
  });
});

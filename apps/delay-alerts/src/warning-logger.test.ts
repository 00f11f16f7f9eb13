import { SerdeError } from "@eos/core";
import { describe, expect, it } from "vitest";
import { createWarningLogger } from "./warning-logger.ts";

describe("createWarningLogger", () => {
  it("makes a line of a warning, with the record that it is about", () => {
    const lines: string[] = [];
    const logger = createWarningLogger((text) => lines.push(text));
    const err = new SerdeError("3 characters\nare not valid JSON", { topic: "in" });
    logger.warn({ groupId: "g", topic: "in", partition: 3, offset: 17, err }, "a record was skipped");
    logger.warn({ topic: "in", partition: 3 }, "paused");
    logger.warn({ topic: "out", replicationFactor: 3, brokerCount: 1 }, "Replication factor lowered");
    logger.warn({ broker: "b:9092", error: "connect ECONNREFUSED" }, "Broker cannot be reached");
    logger.warn({}, "SASL PLAIN without TLS");
    expect(lines).toEqual([
      "a record was skipped: in-3@17: EOS_SERDE: 3 characters are not valid JSON",
      "paused: in-3",
      "Replication factor lowered: out",
      "Broker cannot be reached: b:9092: connect ECONNREFUSED",
      "SASL PLAIN without TLS",
    ]);
  });

  it("leaves out what is said elsewhere, and what nobody has to look at", () => {
    const lines: string[] = [];
    const logger = createWarningLogger((text) => lines.push(text));
    for (const level of ["debug", "info", "error"] as const) logger[level]({}, level);
    expect(lines).toEqual([]);
  });
});

import { EosError } from "@eos/core";
import { describe, expect, test } from "vitest";
import {
  AuthorizationError,
  BrokerError,
  brokerError,
  ClientClosedError,
  ConnectionError,
  FencedInstanceIdError,
  isConnectionLoss,
  ProducerFencedError,
  RequestTimeoutError,
} from "./errors.ts";

describe("a broker's error code as an error", () => {
  test("says what was asked of what, and Kafka's name and code", () => {
    const error = brokerError({ api: "Produce", kafkaCode: 87, topic: "orders", partition: 3, detail: "no key" });
    expect(error.message).toBe("Produce of orders-3 failed with INVALID_RECORD (87): no key");
    expect(error).toMatchObject({
      code: "EOS_BROKER",
      severity: "abortable",
      kafkaCode: 87,
      kafkaName: "INVALID_RECORD",
      kafkaClass: "poison-record",
    });
  });

  test.each([
    [51, "retriable"],
    [16, "retriable"],
    [6, "retriable"],
    [88, "retriable"],
    [45, "abortable"],
    [22, "abortable"],
    [9_999, "abortable"],
    [1, "fatal"],
  ] as const)("code %i is %s", (kafkaCode, severity) => {
    expect(new BrokerError({ api: "X", kafkaCode }).severity).toBe(severity);
  });

  test.each([
    [29, "Produce", { topic: "orders" }, "--operation Write --topic orders"],
    [29, "Fetch", { topic: "orders" }, "--operation Read --topic orders"],
    [29, "Metadata", { topic: "orders" }, "--operation Describe --topic orders"],
    [30, "JoinGroup", { groupId: "g" }, "--operation Read --group g"],
    [31, "InitProducerId", {}, "--operation IdempotentWrite --cluster"],
    [53, "InitProducerId", { transactionalId: "tx" }, "--operation Write --transactional-id tx"],
  ] as const)("code %i of %s names the ACL that is missing", (kafkaCode, api, resource, acl) => {
    const error = brokerError({ api, kafkaCode, ...resource });
    expect(error).toBeInstanceOf(AuthorizationError);
    expect(error).toMatchObject({ code: "EOS_AUTHORIZATION", severity: "fatal" });
    expect(error.hint).toContain(acl);
  });

  test("code 82 is a fenced instance id", () => {
    const error = brokerError({ api: "Heartbeat", kafkaCode: 82, groupId: "g" });
    expect(error).toBeInstanceOf(FencedInstanceIdError);
    expect(error).toMatchObject({ name: "FencedInstanceIdError", code: "EOS_FENCED_INSTANCE_ID", severity: "fatal" });
    expect(error.hint).toContain("groupInstanceId");
  });

  test("code 12 names the broker's limit", () => {
    const error = brokerError({ api: "OffsetCommit", kafkaCode: 12, groupId: "g", topic: "in", partition: 3 });
    expect(error.message).toBe("OffsetCommit of in-3, group g failed with OFFSET_METADATA_TOO_LARGE (12)");
    expect(error).toMatchObject({ code: "EOS_BROKER", severity: "fatal" });
    expect(error.hint).toContain("offset.metadata.max.bytes");
  });

  test.each([47, 49, 52, 90])("code %i is a fenced producer", (kafkaCode) => {
    const error = brokerError({ api: "EndTxn", kafkaCode, transactionalId: "tx" });
    expect(error).toBeInstanceOf(ProducerFencedError);
    expect(error).toMatchObject({ name: "ProducerFencedError", code: "EOS_PRODUCER_FENCED", severity: "fatal" });
    expect(error.message).toContain("transactional id tx");
  });
});

test("only a lost connection and a timeout leave the outcome of a request unknown", () => {
  expect(isConnectionLoss(new ConnectionError("x"))).toBe(true);
  expect(isConnectionLoss(new RequestTimeoutError("x"))).toBe(true);
  expect(isConnectionLoss(new ClientClosedError())).toBe(false);
  expect(isConnectionLoss(new BrokerError({ api: "X", kafkaCode: 7 }))).toBe(false);
  expect(isConnectionLoss(new EosError("x", { code: "EOS_X", severity: "retriable" }))).toBe(false);
  expect(isConnectionLoss("EOS_CONNECTION")).toBe(false);
});

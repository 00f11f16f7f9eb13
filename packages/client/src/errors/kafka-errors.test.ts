import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type KafkaErrorClass, kafkaErrorClass, kafkaErrorName } from "./kafka-errors.ts";

// The names of Kafka's own `Errors`, by code: see test/java/ProtocolGoldens.java.
const javaNames = JSON.parse(readFileSync(new URL("java-errors.json", import.meta.url), "utf8")) as readonly string[];

function namesOf(kind: KafkaErrorClass): string[] {
  return javaNames.filter((_, code) => kafkaErrorClass(code) === kind);
}

describe("the table of Kafka's error codes", () => {
  test("has every code from 0 on under its name in Kafka", () => {
    expect(javaNames.length).toBeGreaterThan(130);
    expect(javaNames.map((_, code) => kafkaErrorName(code))).toEqual(javaNames);
  });

  test("names codes of newer brokers and the unknown server error too", () => {
    expect(kafkaErrorName(-1)).toBe("UNKNOWN_SERVER_ERROR");
    expect(kafkaErrorName(9_999)).toBe("UNKNOWN_ERROR_CODE_9999");
  });

  test("aborts on a code it does not know", () => {
    expect(kafkaErrorClass(-1)).toBe("abort");
    expect(kafkaErrorClass(9_999)).toBe("abort");
  });

  test("knows what each code asks of the client", () => {
    expect(namesOf("none")).toEqual(["NONE"]);
    expect(namesOf("retry-in-place")).toEqual(["CONCURRENT_TRANSACTIONS"]);
    expect(namesOf("refind-coordinator")).toEqual([
      "COORDINATOR_LOAD_IN_PROGRESS",
      "COORDINATOR_NOT_AVAILABLE",
      "NOT_COORDINATOR",
    ]);
    expect(namesOf("wait")).toEqual(["OFFSET_NOT_AVAILABLE", "UNSTABLE_OFFSET_COMMIT", "THROTTLING_QUOTA_EXCEEDED"]);
    expect(namesOf("abort")).toEqual([
      "CORRUPT_MESSAGE",
      "OUT_OF_ORDER_SEQUENCE_NUMBER",
      "DUPLICATE_SEQUENCE_NUMBER",
      "INVALID_TXN_STATE",
      "UNKNOWN_PRODUCER_ID",
      "TRANSACTION_ABORTABLE",
    ]);
    expect(namesOf("poison-record")).toEqual([
      "MESSAGE_TOO_LARGE",
      "RECORD_LIST_TOO_LARGE",
      "INVALID_TIMESTAMP",
      "INVALID_RECORD",
    ]);
    expect(namesOf("rejoin")).toEqual([
      "ILLEGAL_GENERATION",
      "UNKNOWN_MEMBER_ID",
      "REBALANCE_IN_PROGRESS",
      "MEMBER_ID_REQUIRED",
      "FENCED_MEMBER_EPOCH",
      "STALE_MEMBER_EPOCH",
    ]);
    expect(namesOf("fenced")).toEqual([
      "INVALID_PRODUCER_EPOCH",
      "INVALID_PRODUCER_ID_MAPPING",
      "TRANSACTION_COORDINATOR_FENCED",
      "PRODUCER_FENCED",
    ]);
    expect(namesOf("refresh-metadata")).toEqual(
      expect.arrayContaining([
        "UNKNOWN_TOPIC_OR_PARTITION",
        "LEADER_NOT_AVAILABLE",
        "NOT_LEADER_OR_FOLLOWER",
        "REQUEST_TIMED_OUT",
        "NETWORK_EXCEPTION",
        "NOT_ENOUGH_REPLICAS",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "KAFKA_STORAGE_ERROR",
      ]),
    );
    expect(namesOf("fatal")).toEqual(
      expect.arrayContaining([
        "OFFSET_OUT_OF_RANGE",
        "TOPIC_AUTHORIZATION_FAILED",
        "GROUP_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "SASL_AUTHENTICATION_FAILED",
        "INVALID_TRANSACTION_TIMEOUT",
        "UNSUPPORTED_VERSION",
        "FENCED_INSTANCE_ID",
      ]),
    );
  });
});

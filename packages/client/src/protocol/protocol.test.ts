import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { addOffsetsToTxn } from "./add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "./add-partitions-to-txn.ts";
import { apiVersions } from "./api-versions.ts";
import { ByteReader } from "./byte-reader.ts";
import { createPartitions } from "./create-partitions.ts";
import { createTopics } from "./create-topics.ts";
import { deleteTopics } from "./delete-topics.ts";
import { describeConfigs } from "./describe-configs.ts";
import { endTxn } from "./end-txn.ts";
import { fetch } from "./fetch.ts";
import { findCoordinator } from "./find-coordinator.ts";
import { heartbeat } from "./heartbeat.ts";
import { initProducerId } from "./init-producer-id.ts";
import { joinGroup } from "./join-group.ts";
import { leaveGroup } from "./leave-group.ts";
import { listOffsets } from "./list-offsets.ts";
import { metadata } from "./metadata.ts";
import { offsetCommit } from "./offset-commit.ts";
import { offsetFetch } from "./offset-fetch.ts";
import { produce } from "./produce.ts";
import type { KafkaRequest, KafkaResponse } from "./request.ts";
import { syncGroup } from "./sync-group.ts";
import { txnOffsetCommit } from "./txn-offset-commit.ts";

// What Kafka's own Java classes encode: see test/java/ProtocolGoldens.java.
const goldens = JSON.parse(readFileSync(new URL("java-goldens.json", import.meta.url), "utf8")) as {
  readonly [name: string]: string;
};

function golden(name: string): Buffer {
  const hex = goldens[name];
  if (hex === undefined) throw new Error(`no golden ${name}`);
  return Buffer.from(hex, "hex");
}

function encoded(request: KafkaRequest): string {
  return Buffer.concat(request.body).toString("hex");
}

/** Decodes a golden answer, and checks that every byte of it but the last tag buffer was read. */
function decoded<R extends KafkaResponse>(request: KafkaRequest<R>, name: string): R {
  const payload = golden(name);
  const reader = new ByteReader(payload);
  const response = request.decode(reader);
  expect(reader.remaining, `${name}: bytes left`).toBeLessThanOrEqual(1);
  return response;
}

const TXN = { transactionalId: "tx-1", producerId: 9n, producerEpoch: 2 } as const;

describe("requests are what Kafka's Java client sends", () => {
  const txnOffsets = {
    ...TXN,
    groupId: "group",
    generationId: 5,
    memberId: "member",
    groupInstanceId: "instance",
    topics: [
      {
        topic: "orders",
        partitions: [
          { partition: 1, offset: Number.MAX_SAFE_INTEGER, metadata: "eos1:{}" },
          { partition: 2, offset: 0, metadata: null },
        ],
      },
    ],
  };
  const produced = {
    transactionalId: "tx-1",
    acks: -1,
    timeoutMs: 30_000,
    topics: [
      {
        topic: "orders",
        partitions: [
          { partition: 0, batch: golden("RecordsA") },
          { partition: 3, batch: golden("RecordsB") },
        ],
      },
      { topic: "audit", partitions: [{ partition: 1, batch: golden("RecordsA") }] },
    ],
  } as const;
  const cases: readonly (readonly [name: string, request: KafkaRequest])[] = [
    ["ApiVersionsRequest", apiVersions({ name: "eos-client", version: "0" })],
    ["MetadataRequest", metadata(["orders", "zürich"])],
    ["MetadataRequestAll", metadata(null)],
    ["FindCoordinatorRequest", findCoordinator("transaction", "tx-1")],
    [
      "InitProducerIdRequest",
      initProducerId({
        transactionalId: "tx-1",
        transactionTimeoutMs: 10_000,
        producerId: 4_611_686_018_427_387_905n,
        producerEpoch: 3,
      }),
    ],
    ["InitProducerIdRequestIdempotent", initProducerId({ transactionalId: null, transactionTimeoutMs: 60_000 })],
    ["AddPartitionsToTxnRequest", addPartitionsToTxn({ ...TXN, topics: [{ topic: "orders", partitions: [0, 7] }] })],
    ["AddOffsetsToTxnRequest", addOffsetsToTxn({ ...TXN, groupId: "group" })],
    ["TxnOffsetCommitRequestV3", txnOffsetCommit({ ...txnOffsets, version: 3 })],
    ["TxnOffsetCommitRequestV5", txnOffsetCommit({ ...txnOffsets, version: 5 })],
    ["EndTxnRequestV3", endTxn({ ...TXN, version: 3, result: "abort" })],
    ["EndTxnRequestV5", endTxn({ ...TXN, version: 5, result: "commit" })],
    ["ProduceRequestV9", produce({ ...produced, version: 9 })],
    ["ProduceRequestV12", produce({ ...produced, version: 12 })],
    [
      "FetchRequest",
      fetch({
        maxWaitMs: 500,
        minBytes: 1,
        maxBytes: 52_428_800,
        isolation: "read_committed",
        rackId: "a",
        topics: [{ topic: "orders", partitions: [{ partition: 1, fetchOffset: 100, maxBytes: 1_048_576 }] }],
      }),
    ],
    [
      "ListOffsetsRequest",
      listOffsets({
        isolation: "read_committed",
        topics: [
          {
            topic: "orders",
            partitions: [
              { partition: 0, timestamp: -1 },
              { partition: 1, timestamp: 1_700_000_000_000 },
            ],
          },
        ],
      }),
    ],
    [
      "OffsetCommitRequest",
      offsetCommit({
        groupId: "group",
        generationId: 5,
        memberId: "member",
        groupInstanceId: null,
        topics: [{ topic: "orders", partitions: [{ partition: 1, offset: 12, metadata: "m" }] }],
      }),
    ],
    [
      "OffsetFetchRequest",
      offsetFetch({ groupId: "group", topics: [{ topic: "orders", partitions: [0, 1] }], requireStable: true }),
    ],
    ["OffsetFetchRequestAll", offsetFetch({ groupId: "group", topics: null, requireStable: false })],
    [
      "JoinGroupRequest",
      joinGroup({
        groupId: "group",
        sessionTimeoutMs: 45_000,
        rebalanceTimeoutMs: 60_000,
        memberId: "",
        groupInstanceId: "instance",
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: Buffer.from([0, 1, 2]) }],
      }),
    ],
    [
      "SyncGroupRequest",
      syncGroup({
        groupId: "group",
        generationId: 6,
        memberId: "member",
        groupInstanceId: null,
        protocolType: "consumer",
        protocolName: "range",
        assignments: [{ memberId: "member", assignment: Buffer.from([4, 5]) }],
        rebalanceTimeoutMs: 60_000,
      }),
    ],
    ["HeartbeatRequest", heartbeat({ groupId: "group", generationId: 6, memberId: "member", groupInstanceId: null })],
    ["LeaveGroupRequest", leaveGroup({ groupId: "group", members: [{ memberId: "member", groupInstanceId: null }] })],
    [
      "CreateTopicsRequest",
      createTopics({
        timeoutMs: 30_000,
        topics: [{ topic: "orders", partitions: 6, replicationFactor: 3, config: { "cleanup.policy": "compact" } }],
      }),
    ],
    ["DeleteTopicsRequest", deleteTopics(["orders", "audit"], 30_000)],
    ["CreatePartitionsRequest", createPartitions([{ topic: "orders", count: 12 }], 30_000)],
    [
      "DescribeConfigsRequest",
      describeConfigs([
        { type: "topic", name: "orders", keys: null },
        { type: "broker", name: "1", keys: ["transaction.max.timeout.ms"] },
      ]),
    ],
  ];

  test.each(cases)("%s", (name, request) => {
    expect(encoded(request)).toBe(golden(name).toString("hex"));
  });

  test("Produce hands its batches on without copying them", () => {
    const batch = golden("RecordsA");
    const request = produce({
      version: 12,
      transactionalId: null,
      acks: -1,
      timeoutMs: 1,
      topics: [{ topic: "t", partitions: [{ partition: 0, batch }] }],
    });
    expect(request.body.some((part) => part === batch)).toBe(true);
  });
});

describe("answers are read as Kafka's Java broker writes them", () => {
  test("ApiVersions gives the finalised features, not the supported ones", () => {
    const response = decoded(apiVersions({ name: "", version: "" }), "ApiVersionsResponse");
    expect(response).toEqual({
      throttleTimeMs: 7,
      errorCode: 0,
      apis: [
        { apiKey: 0, minVersion: 3, maxVersion: 13 },
        { apiKey: 18, minVersion: 0, maxVersion: 4 },
      ],
      finalizedFeatures: new Map([
        ["metadata.version", 29],
        ["transaction.version", 2],
      ]),
    });
  });

  test("Metadata", () => {
    expect(decoded(metadata([]), "MetadataResponse")).toEqual({
      throttleTimeMs: 1,
      clusterId: "cluster",
      controllerId: 2,
      brokers: [
        { nodeId: 1, host: "kafka-1", port: 9092, rack: "a" },
        { nodeId: 2, host: "kafka-2", port: 9093, rack: null },
      ],
      topics: [
        {
          errorCode: 0,
          name: "orders",
          internal: false,
          partitions: [
            { errorCode: 0, partition: 1, leader: 2, leaderEpoch: 5, replicas: [2, 1], isr: [2] },
            { errorCode: 5, partition: 0, leader: -1, leaderEpoch: -1, replicas: [1], isr: [] },
          ],
        },
        { errorCode: 3, name: "missing", internal: false, partitions: [] },
      ],
    });
  });

  test("FindCoordinator", () => {
    expect(decoded(findCoordinator("group", "g"), "FindCoordinatorResponse")).toEqual({
      throttleTimeMs: 2,
      errorCode: 15,
      errorMessage: "none yet",
      nodeId: -1,
      host: "",
      port: -1,
    });
  });

  test("InitProducerId keeps all 64 bits of a producer id", () => {
    const request = initProducerId({ transactionalId: "t", transactionTimeoutMs: 1 });
    expect(decoded(request, "InitProducerIdResponse")).toEqual({
      throttleTimeMs: 3,
      errorCode: 51,
      producerId: 4_611_686_018_427_387_905n,
      producerEpoch: 4,
    });
  });

  test("AddPartitionsToTxn and AddOffsetsToTxn", () => {
    expect(decoded(addPartitionsToTxn({ ...TXN, topics: [] }), "AddPartitionsToTxnResponse")).toEqual({
      throttleTimeMs: 4,
      topics: [{ topic: "orders", partitions: [{ partition: 7, errorCode: 51 }] }],
    });
    expect(decoded(addOffsetsToTxn({ ...TXN, groupId: "g" }), "AddOffsetsToTxnResponse")).toEqual({
      throttleTimeMs: 5,
      errorCode: 90,
    });
  });

  test("TxnOffsetCommit and OffsetCommit", () => {
    const group = { groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null, topics: [] };
    expect(decoded(txnOffsetCommit({ ...TXN, ...group, version: 5 }), "TxnOffsetCommitResponse")).toEqual({
      throttleTimeMs: 6,
      topics: [{ topic: "orders", partitions: [{ partition: 1, errorCode: 22 }] }],
    });
    expect(decoded(offsetCommit(group), "OffsetCommitResponse")).toEqual({
      throttleTimeMs: 12,
      topics: [{ topic: "orders", partitions: [{ partition: 1, errorCode: 25 }] }],
    });
  });

  test("EndTxn brings the next epoch in version 5 only", () => {
    expect(decoded(endTxn({ ...TXN, version: 3, result: "commit" }), "EndTxnResponseV3")).toEqual({
      throttleTimeMs: 8,
      errorCode: 47,
      producerId: -1n,
      producerEpoch: -1,
    });
    expect(decoded(endTxn({ ...TXN, version: 5, result: "commit" }), "EndTxnResponseV5")).toEqual({
      throttleTimeMs: 8,
      errorCode: 0,
      producerId: 10n,
      producerEpoch: 0,
    });
  });

  test("Produce, with the tagged leader that brokers add to NOT_LEADER", () => {
    const request = produce({ version: 12, transactionalId: null, acks: -1, timeoutMs: 1, topics: [] });
    const payload = golden("ProduceResponseV12");
    expect(request.decode(new ByteReader(payload))).toEqual({
      throttleTimeMs: 9,
      topics: [
        {
          topic: "orders",
          partitions: [
            { partition: 0, errorCode: 0, baseOffset: 42, logAppendTime: -1, errorMessage: null, recordErrors: [] },
            {
              partition: 3,
              errorCode: 87,
              baseOffset: -1,
              logAppendTime: -1,
              errorMessage: "bad batch",
              recordErrors: [{ batchIndex: 2, message: "bad record" }],
            },
          ],
        },
      ],
    });
  });

  test("Fetch gives positions of the records instead of copies", () => {
    const request = fetch({ maxWaitMs: 1, minBytes: 1, maxBytes: 1, isolation: "read_committed", topics: [] });
    const response = decoded(request, "FetchResponse");
    const [first, second] = response.topics[0]?.partitions ?? [];
    expect(response).toMatchObject({ throttleTimeMs: 10, errorCode: 0, sessionId: 5 });
    expect(first).toMatchObject({
      partition: 1,
      errorCode: 0,
      highWatermark: 200,
      lastStableOffset: 150,
      logStartOffset: 10,
      aborted: [{ producerId: 7, firstOffset: 120 }],
      preferredReadReplica: 3,
    });
    expect(response.payload.subarray(first?.recordsStart, first?.recordsEnd)).toEqual(golden("RecordsA"));
    expect(second).toMatchObject({ partition: 2, errorCode: 1, highWatermark: -1, aborted: [] });
    expect(second?.recordsStart).toBe(second?.recordsEnd);
  });

  test("ListOffsets", () => {
    expect(decoded(listOffsets({ isolation: "read_committed", topics: [] }), "ListOffsetsResponse")).toEqual({
      throttleTimeMs: 11,
      topics: [
        {
          topic: "orders",
          partitions: [
            { partition: 0, errorCode: 0, timestamp: -1, offset: 77 },
            { partition: 1, errorCode: 6, timestamp: -1, offset: -1 },
          ],
        },
      ],
    });
  });

  test("OffsetFetch", () => {
    expect(decoded(offsetFetch({ groupId: "g", topics: null, requireStable: true }), "OffsetFetchResponse")).toEqual({
      throttleTimeMs: 13,
      errorCode: 0,
      topics: [
        {
          topic: "orders",
          partitions: [
            { partition: 0, offset: 5, metadata: "m", errorCode: 0 },
            { partition: 1, offset: -1, metadata: null, errorCode: 88 },
          ],
        },
      ],
    });
  });

  test("JoinGroup, of a leader and of a member that must come back with an id", () => {
    const request = joinGroup({
      groupId: "g",
      sessionTimeoutMs: 1,
      rebalanceTimeoutMs: 1,
      memberId: "",
      groupInstanceId: null,
      protocolType: "consumer",
      protocols: [],
    });
    expect(decoded(request, "JoinGroupResponse")).toEqual({
      throttleTimeMs: 14,
      errorCode: 0,
      generationId: 6,
      protocolType: "consumer",
      protocolName: "range",
      leader: "member",
      memberId: "member",
      members: [{ memberId: "member", groupInstanceId: null, metadata: Buffer.from([9]) }],
    });
    expect(decoded(request, "JoinGroupResponseMemberIdRequired")).toMatchObject({
      errorCode: 79,
      generationId: -1,
      protocolName: null,
      memberId: "member-7",
      members: [],
    });
  });

  test("SyncGroup, Heartbeat and LeaveGroup", () => {
    const member = { groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null };
    const sync = syncGroup({
      ...member,
      protocolType: "consumer",
      protocolName: "range",
      assignments: [],
      rebalanceTimeoutMs: 1,
    });
    expect(decoded(sync, "SyncGroupResponse")).toEqual({
      throttleTimeMs: 15,
      errorCode: 0,
      protocolType: "consumer",
      protocolName: "range",
      assignment: Buffer.from([4, 5]),
    });
    expect(decoded(heartbeat(member), "HeartbeatResponse")).toEqual({ throttleTimeMs: 16, errorCode: 27 });
    expect(decoded(leaveGroup({ groupId: "g", members: [] }), "LeaveGroupResponse")).toEqual({
      throttleTimeMs: 17,
      errorCode: 0,
      members: [{ memberId: "member", groupInstanceId: null, errorCode: 25 }],
    });
  });

  test("CreateTopics, DeleteTopics and CreatePartitions", () => {
    expect(decoded(createTopics({ timeoutMs: 1, topics: [] }), "CreateTopicsResponse")).toEqual({
      throttleTimeMs: 18,
      topics: [
        { topic: "orders", errorCode: 0, errorMessage: "" },
        { topic: "audit", errorCode: 36, errorMessage: "exists" },
      ],
    });
    expect(decoded(deleteTopics([], 1), "DeleteTopicsResponse")).toEqual({
      throttleTimeMs: 19,
      topics: [{ topic: "orders", errorCode: 3, errorMessage: "unknown" }],
    });
    expect(decoded(createPartitions([], 1), "CreatePartitionsResponse")).toEqual({
      throttleTimeMs: 20,
      topics: [{ topic: "orders", errorCode: 37, errorMessage: "fewer" }],
    });
  });

  test("DescribeConfigs", () => {
    expect(decoded(describeConfigs([]), "DescribeConfigsResponse")).toEqual({
      throttleTimeMs: 21,
      resources: [
        {
          errorCode: 0,
          errorMessage: "",
          name: "1",
          configs: [
            { name: "transaction.max.timeout.ms", value: "900000", readOnly: false, source: 5, sensitive: false },
            { name: "ssl.key.password", value: null, readOnly: true, source: 4, sensitive: true },
          ],
        },
      ],
    });
  });

  test("an answer that was cut off is an error, not a value", () => {
    const request = metadata([]);
    const payload = golden("MetadataResponse");
    for (const length of [0, 3, 20, payload.length - 10]) {
      expect(() => request.decode(new ByteReader(payload.subarray(0, length)))).toThrow(RangeError);
    }
  });
});

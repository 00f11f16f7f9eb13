import { expect, test } from "vitest";
import type { MetadataResponse, MetadataTopic } from "../protocol/metadata.ts";
import { MetadataCache } from "./metadata-cache.ts";

const BROKER = { nodeId: 1, host: "a", port: 1, rack: null };

function response(topics: readonly MetadataTopic[], brokers = [BROKER]): MetadataResponse {
  return { throttleTimeMs: 0, clusterId: "c", controllerId: 1, brokers, topics };
}

function partition(index: number, leader: number) {
  return { errorCode: 0, partition: index, leader, leaderEpoch: 1, replicas: [1], isr: [1] };
}

function topic(name: string, errorCode: number, partitions: readonly ReturnType<typeof partition>[]): MetadataTopic {
  return { errorCode, name, internal: false, partitions };
}

test("partitions are found by their number, in whatever order the broker lists them", () => {
  const cache = new MetadataCache();
  cache.apply(response([topic("t", 0, [partition(2, 1), partition(0, -1), partition(1, 3)])]));
  expect(cache.topic("t")?.partitions.map(({ leader }) => leader)).toEqual([-1, 3, 1]);
});

test("a topic that has gone is forgotten, with the reason; others are kept", () => {
  const cache = new MetadataCache();
  cache.apply(response([topic("t", 0, [partition(0, 1)]), topic("u", 0, [partition(0, 1)])]));
  cache.apply(response([topic("t", 3, [])]));
  expect(cache.topic("t")).toBeUndefined();
  expect(cache.topicError("t")).toBe(3);
  expect(cache.topicNames).toEqual(["u"]);
});

test("brokers are replaced by each answer, but not by one that knows of none", () => {
  const cache = new MetadataCache();
  cache.apply(response([], [BROKER, { ...BROKER, nodeId: 2, port: 2 }]));
  cache.apply(response([], []));
  expect(cache.brokerCount).toBe(2);
  cache.apply(response([], [{ ...BROKER, nodeId: 2, port: 3 }]));
  expect(cache.address(1)).toBeUndefined();
  expect(cache.address(2)).toEqual({ host: "a", port: 3 });
  expect(cache.nodesAt("a:3")).toEqual([2]);
});

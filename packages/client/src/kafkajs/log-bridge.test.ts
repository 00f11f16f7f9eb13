import { type Logger, silentLogger } from "@eos/core";
import { expect, test } from "vitest";
import { createLogBridge } from "./log-bridge.ts";

test("what kafkajs logs goes on without payloads, credentials or stacks", () => {
  const entries: [level: string, fields: object, message: string][] = [];
  const logger: Logger = {
    ...silentLogger,
    debug: (fields, message) => void entries.push(["debug", fields, message]),
    warn: (fields, message) => void entries.push(["warn", fields, message]),
  };
  const log = createLogBridge(logger)(5);
  const secret = {
    authBytes: "user\0secret",
    payload: Buffer.from("secret"),
    data: { password: "secret" },
    stack: "at x",
  };
  log({
    namespace: "Connection",
    level: 1,
    label: "ERROR",
    log: { timestamp: "now", message: "Connection error", broker: "b:1", ...secret },
  });
  log({
    namespace: "RequestQueue",
    level: 2,
    label: "WARN",
    log: { timestamp: "now", message: "Response without match", correlationId: 7, sasl: { password: "secret" } },
  });
  expect(entries).toEqual([
    ["debug", { component: "kafkajs.Connection", broker: "b:1" }, "Connection error"],
    ["warn", { component: "kafkajs.RequestQueue", correlationId: 7 }, "Response without match"],
  ]);
});

import { silentLogger, type Logger } from "@eos/core";
import { describe, expect, test } from "vitest";
import { type ClientOptions, resolveClientOptions } from "./options.ts";

const BROKERS = ["127.0.0.1:9092"];

function warningsOf(options: Omit<ClientOptions, "logger">): string[] {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, message) => void warnings.push(message) };
  resolveClientOptions("createClient", { ...options, logger });
  return warnings;
}

describe("client options", () => {
  test("have Java's defaults", () => {
    const options = resolveClientOptions("createClient", { brokers: BROKERS });
    expect(options).toMatchObject({ clientId: "eos", connectionTimeoutMs: 10_000, requestTimeoutMs: 30_000 });
    expect(options.ssl).toBeUndefined();
  });

  test.each([
    [{}, /"brokers" is required/],
    [{ brokers: [] }, /"brokers" must be a non-empty array of "host:port", or a function/],
    [{ brokers: ["nowhere"] }, /"brokers" must be/],
    [{ brokers: BROKERS, requestTimeout: 1 }, /unknown option "requestTimeout"; did you mean "requestTimeoutMs"/],
    [{ brokers: BROKERS, requestTimeoutMs: 0 }, /"requestTimeoutMs" must be a positive integer \(ms\), got 0/],
    [{ brokers: BROKERS, sasl: { username: "u" } }, /"sasl" must be an object with a mechanism/],
    [{ brokers: BROKERS, logger: {} }, /"logger" must be/],
  ])("%j is refused", (given, message) => {
    const resolve = () => resolveClientOptions("createClient", given as ClientOptions);
    expect(resolve).toThrow(TypeError);
    expect(resolve).toThrow(message);
  });

  test("TLS without verification is refused unless it is allowed, and warned about then", () => {
    const ssl = { rejectUnauthorized: false };
    expect(() => warningsOf({ brokers: BROKERS, ssl })).toThrow(/ssl.ca/);
    expect(warningsOf({ brokers: BROKERS, ssl, allowInsecureTls: true })).toEqual([
      expect.stringContaining("not verified"),
    ]);
  });

  test("SASL PLAIN without TLS is warned about", () => {
    const sasl = { mechanism: "PLAIN", username: "u", password: "secret" } as unknown as NonNullable<
      ClientOptions["sasl"]
    >;
    expect(warningsOf({ brokers: BROKERS, sasl })).toEqual([expect.stringContaining("clear text")]);
    expect(warningsOf({ brokers: BROKERS, sasl, ssl: false })).toHaveLength(1);
    expect(warningsOf({ brokers: BROKERS, sasl, ssl: true })).toEqual([]);
  });
});

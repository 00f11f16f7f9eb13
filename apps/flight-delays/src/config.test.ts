import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProcessorConfig } from "@tooling/app-cli";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HELP, readConfig } from "./config.ts";

const REQUIRED = ["--brokers", "a:9092,b:9093", "--application-id", "app", "--input", "in", "--output", "out"];

function read(args: readonly string[], environment: { readonly [variable: string]: string } = {}): ProcessorConfig {
  const config = readConfig(args, environment);
  if (config === "help") throw new Error("help was not asked for");
  return config;
}

describe("readConfig", () => {
  it("takes the four required options and leaves the rest to the processor's defaults", () => {
    expect(read(REQUIRED)).toEqual({
      input: "in",
      output: "out",
      outputPartitions: undefined,
      instances: 1,
      traceSource: false,
      processor: { brokers: ["a:9092", "b:9093"], applicationId: "app" },
    });
  });

  it("takes every other option, with a space or an equals sign", () => {
    const others =
      "--output-partitions 6 --replication-factor=2 --instances 3 --producer-scope=task --commit-interval-ms 0 " +
      "--transaction-timeout-ms=30000 --session-timeout-ms 6000 --max-batch-bytes=16384 --trace-source --tls " +
      "--sasl-mechanism scram-sha-512 --sasl-username=joe";
    const config = read([...REQUIRED, ...others.split(" ")], { SASL_PASSWORD: "secret" });
    expect(config).toEqual({
      input: "in",
      output: "out",
      outputPartitions: 6,
      instances: 3,
      traceSource: true,
      processor: {
        brokers: ["a:9092", "b:9093"],
        applicationId: "app",
        producerScope: "task",
        commitIntervalMs: 0,
        transactionTimeoutMs: 30_000,
        replicationFactor: 2,
        sessionTimeoutMs: 6_000,
        maxBatchBytes: 16_384,
        ssl: true,
        sasl: { mechanism: "scram-sha-512", username: "joe", password: "secret" },
      },
    });
  });

  it("takes options from the environment, where the command line has none", () => {
    const environment = {
      BROKERS: "c:1",
      APPLICATION_ID: "env-app",
      INPUT: "env-in",
      OUTPUT: "env-out",
      COMMIT_INTERVAL_MS: "250",
      TRACE_SOURCE: "true",
      INSTANCES: "",
    };
    expect(read([], environment)).toMatchObject({
      input: "env-in",
      instances: 1,
      traceSource: true,
      processor: { brokers: ["c:1"], applicationId: "env-app", commitIntervalMs: 250 },
    });
    expect(read(["--input", "flag-in", "--trace-source=false"], environment)).toMatchObject({
      input: "flag-in",
      traceSource: false,
    });
  });

  it("ignores the -- that a package manager puts before the arguments", () => {
    expect(read(["--", ...REQUIRED]).input).toBe("in");
  });

  it("gives help, which names every option, whatever else is there", () => {
    expect(readConfig(["--nonsense", "--help"], {})).toBe("help");
    expect(readConfig(["-h"], {})).toBe("help");
    for (const option of ["--brokers", "--trace-source", "--tls-ca", "SASL_PASSWORD"]) expect(HELP).toContain(option);
  });

  it.each([
    [["--comit-interval-ms", "5"], 'unknown option "comit-interval-ms"; did you mean "commit-interval-ms"?'],
    [["--commit-interval-ms", "5s"], 'option "commit-interval-ms" must be an integer of 0 or more, got "5s"'],
    [["--commit-interval-ms=-1"], 'must be an integer of 0 or more, got "-1"'],
    [["--instances", "0"], 'option "instances" must be a positive integer, got 0'],
    [["--instances"], 'option "instances" needs a value: a positive integer'],
    [["--input", "--output", "x"], 'option "input" needs a value'],
    [["--producer-scope", "thread"], 'option "producer-scope" must be one of "process", "task", got "thread"'],
    [
      ["--brokers", "localhost"],
      'option "brokers" must be host:port, or several with commas between, got ["localhost"]',
    ],
    [["--trace-source=yes"], 'option "trace-source" must be true or false, got "yes"'],
    [["run"], 'unexpected argument "run"; options begin with --'],
    [["--constructor", "x"], 'unknown option "constructor"'],
  ])("refuses %j and says what was expected", (args, message) => {
    expect(() => read([...REQUIRED, ...args])).toThrow(TypeError);
    expect(() => read([...REQUIRED, ...args])).toThrow(message);
  });

  it("names a required option that is missing", () => {
    expect(() => read(REQUIRED.slice(0, 6))).toThrow('option "output" is required');
  });
});

describe("readConfig's security options", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "flight-delays-"));
    for (const name of ["ca", "cert", "key"]) writeFileSync(join(folder, `${name}.pem`), `the ${name}`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const pem = (name: string): string => join(folder, `${name}.pem`);

  it("read the certificates, which imply TLS", () => {
    const args = [...REQUIRED, "--tls-ca", pem("ca"), "--tls-cert", pem("cert"), "--tls-key", pem("key")];
    expect(read(args).processor.ssl).toEqual({ ca: "the ca", cert: "the cert", key: "the key" });
  });

  it("refuse a file that is not there, and a certificate without its key", () => {
    expect(() => read([...REQUIRED, "--tls-ca", pem("none")])).toThrow('option "tls-ca" must be a readable file');
    expect(() => read([...REQUIRED, "--tls-cert", pem("cert")])).toThrow('"tls-cert" and "tls-key" go together');
  });

  it("refuse a password on the command line without repeating it", () => {
    let message = "";
    try {
      read([...REQUIRED, "--sasl-password=hunter2"]);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain("set SASL_PASSWORD instead of --sasl-password");
    expect(message).not.toContain("hunter2");
  });

  it("refuse half of the credentials", () => {
    expect(() => read([...REQUIRED, "--sasl-mechanism", "plain", "--sasl-username", "joe"])).toThrow("SASL_PASSWORD");
    expect(() => read([...REQUIRED, "--sasl-username", "joe"])).toThrow('"sasl-username" needs "sasl-mechanism"');
    expect(read(REQUIRED, { SASL_PASSWORD: "of something else" }).processor.sasl).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { HELP, readConfig } from "./config.ts";

const REQUIRED = ["--brokers", "a:9092", "--application-id", "app", "--input", "in", "--output", "out"];

describe("readConfig", () => {
  it("takes the required options and leaves the rest to the processor's defaults", () => {
    expect(readConfig(REQUIRED, {})).toEqual({
      input: "in",
      output: "out",
      outputPartitions: undefined,
      instances: 1,
      traceSource: false,
      processor: { brokers: ["a:9092"], applicationId: "app" },
    });
  });

  it("takes the state directory from the command line, or else from the environment", () => {
    const environment = { STATE_DIR: "/var/lib/a", INSTANCES: "3" };
    expect(readConfig([...REQUIRED, "--state-dir=/var/lib/b"], environment)).toMatchObject({
      instances: 3,
      processor: { stateDir: "/var/lib/b" },
    });
    expect(readConfig(REQUIRED, environment)).toMatchObject({ processor: { stateDir: "/var/lib/a" } });
  });

  it("takes what every processor takes", () => {
    const more = "--commit-interval-ms 0 --trace-source --tls --sasl-mechanism plain --sasl-username joe".split(" ");
    expect(readConfig([...REQUIRED, ...more], { SASL_PASSWORD: "secret" })).toMatchObject({
      traceSource: true,
      processor: { commitIntervalMs: 0, ssl: true, sasl: { mechanism: "plain", username: "joe", password: "secret" } },
    });
  });

  it("gives help, which names the options", () => {
    expect(readConfig(["--help"], {})).toBe("help");
    for (const option of ["--state-dir <folder>", "--output-partitions <n>", "--trace-source", "SASL_PASSWORD"]) {
      expect(HELP).toContain(option);
    }
  });

  it.each([
    [[], 'option "brokers" is required'],
    [[...REQUIRED, "--statedir", "x"], 'did you mean "state-dir"?'],
    [[...REQUIRED, "--state-dir", ""], 'option "state-dir" must be'],
    [[...REQUIRED, "--instances", "0"], "must be a positive integer"],
  ])("refuses %j", (args, message) => {
    expect(() => readConfig(args, {})).toThrow(message);
  });
});

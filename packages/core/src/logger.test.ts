import { afterEach, describe, expect, it, vi } from "vitest";
import { SerdeError } from "./errors.ts";
import { createConsoleLogger, silentLogger } from "./logger.ts";
import type { ConsoleLoggerOptions } from "./logger.ts";

function captureStderr(): string[] {
  const written: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  return written;
}

describe("createConsoleLogger", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("writes one line per entry: time, level, message, fields", () => {
    const written = captureStderr();
    const logger = createConsoleLogger();
    logger.info({ partition: 3 }, "assigned\npartitions");
    logger.warn({}, "slow");
    expect(written[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {2}assigned partitions \{"partition":3\}\n$/);
    expect(written[1]).toMatch(/Z WARN {2}slow\n$/);
  });

  it.each([
    ["debug", ["DEBUG", "INFO", "WARN", "ERROR"]],
    [undefined, ["INFO", "WARN", "ERROR"]],
    ["error", ["ERROR"]],
  ] as const)("writes from level %s upwards", (level, expected) => {
    const written = captureStderr();
    const logger = createConsoleLogger(level === undefined ? {} : { level });
    for (const name of ["debug", "info", "warn", "error"] as const) logger[name]({}, "entry");
    expect(written.map((line) => line.split(" ")[1])).toEqual(expected);
  });

  it("writes errors with code, stack and cause, and bytes only with their length", () => {
    const written = captureStderr();
    const error = new SerdeError("bad", { topic: "t", cause: new Error("inner") });
    createConsoleLogger().error({ error, key: Buffer.from("secret"), offset: 5n }, "failed");
    expect(written[0]?.match(/\n/g)).toHaveLength(1);
    const fields = JSON.parse(written[0]?.slice(written[0].indexOf("{")) ?? "") as object;
    expect(fields).toMatchObject({
      error: { name: "SerdeError", message: "bad", code: "EOS_SERDE", topic: "t", cause: { message: "inner" } },
      key: "<6 bytes>",
      offset: "5",
    });
    expect(fields).toHaveProperty("error.stack");
  });

  it("survives fields that are no JSON", () => {
    const written = captureStderr();
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    createConsoleLogger().info(cycle, "odd");
    expect(written[0]).toContain('odd "(fields that cannot be written as JSON)"');
  });

  it("refuses an unknown level", () => {
    expect(() => createConsoleLogger({ level: "trace" } as unknown as ConsoleLoggerOptions)).toThrow(
      new TypeError('createConsoleLogger: option "level" must be one of "debug", "info", "warn", "error", got "trace"'),
    );
  });
});

describe("silentLogger", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("writes nothing", () => {
    const written = captureStderr();
    silentLogger.error({}, "failed");
    expect(written).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { readCommand, UsageError } from "./command-line.ts";

describe("readCommand", () => {
  it("fills in what the job takes, and for the rest what all take", () => {
    const command = readCommand(["rebalance"]);
    expect(command?.rounds).toBe(1);
    expect(command?.settings).toMatchObject({ partitions: 100, rate: 500, visits: 20 });
    expect(readCommand(["store-micro"])?.settings.records).toBe(10_000_000);
    expect(readCommand(["latency"])?.settings).toMatchObject({ partitions: 4, rate: 1_000, seconds: 30 });
  });

  it("takes what was said rather than the job's default", () => {
    expect(readCommand(["rebalance", "--partitions", "8", "--rounds", "2"])).toMatchObject({
      rounds: 2,
      settings: { partitions: 8, rate: 500 },
    });
  });

  it("never warms up with more records than there are", () => {
    expect(readCommand(["copy", "--records", "1000"])?.settings.warmupRecords).toBe(1_000);
  });

  it("refuses what is no job, no number and no rival", () => {
    expect(() => readCommand(["sleep"])).toThrow(UsageError);
    expect(() => readCommand(["copy", "--records", "many"])).toThrow("--records");
    expect(() => readCommand(["copy", "--rivals", "nobody"])).toThrow("nobody");
  });
});

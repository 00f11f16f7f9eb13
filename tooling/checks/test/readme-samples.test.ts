import { rmSync } from "node:fs";
import { testBroker } from "@tooling/kafka/testing";
import { afterAll, describe, expect, it } from "vitest";
import { runCommand } from "../src/command.ts";
import { readmeSamples, sampleFolder, withBroker } from "../src/docs/readme-samples.ts";

const SAMPLE_TIMEOUT_MS = 45_000;
const tsx = import.meta.resolve("tsx");

describe("README samples", () => {
  const samples = readmeSamples();
  const folders: string[] = [];

  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it("are found", () => {
    expect(samples.map(({ origin }) => origin)).toContainEqual(expect.stringContaining("packages/core/README.md"));
  });

  it.each(samples)("runs $origin to its end, with the output that the README shows", async (sample) => {
    const { bootstrapServers } = testBroker();
    const folder = sampleFolder(sample, withBroker(sample.source, bootstrapServers));
    folders.push(folder);
    const result = await runCommand(process.execPath, ["--conditions=@eos/source", "--import", tsx, "sample.ts"], {
      cwd: folder,
      env: { KAFKA_BROKERS: bootstrapServers },
      timeoutMs: SAMPLE_TIMEOUT_MS,
    });
    expect(result.exitCode, result.output).toBe(0);
    if (sample.expectedOutput !== undefined) expect(result.output.trim()).toBe(sample.expectedOutput.trim());
  });
});

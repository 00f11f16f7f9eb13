import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EosError } from "@eos/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findJava } from "./java.ts";
import { resolveKafka } from "./resolve-kafka.ts";

let machine: string;

// A machine with nothing on PATH and nothing cached.
beforeEach(async () => {
  machine = await mkdtemp(join(tmpdir(), "eos-kafka-test-"));
  vi.stubEnv("PATH", machine);
  vi.stubEnv("JAVA_HOME", "");
  vi.stubEnv("KAFKA_BROKERS", "");
  vi.stubEnv("XDG_CACHE_HOME", join(machine, "cache"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(machine, { recursive: true });
});

async function install(name: string, script: string): Promise<void> {
  await writeFile(join(machine, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(machine, name), 0o755);
}

const javaOf = (version: string): string => `echo 'openjdk version "${version}" 2025-04-15' >&2`;

test("KAFKA_BROKERS that nobody answers at is an error that names the variable and the address.", async () => {
  vi.stubEnv("KAFKA_BROKERS", "127.0.0.1:1,127.0.0.1:2");
  const error = await resolveKafka().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: "EOS_BROKER_UNAVAILABLE", severity: "fatal" });
  expect(String(error)).toMatch(
    /KAFKA_BROKERS is set to 127\.0\.0\.1:1,127\.0\.0\.1:2[^]*127\.0\.0\.1:2: .*ECONNREFUSED/,
  );
  expect(EosError.is(error)).toBe(true);
});

test("A KAFKA_BROKERS that is no address is an error of the same kind.", async () => {
  vi.stubEnv("KAFKA_BROKERS", "nonsense");
  await expect(resolveKafka()).rejects.toMatchObject({ code: "EOS_BROKER_UNAVAILABLE" });
});

test("Without a Java the error says where one was looked for.", async () => {
  await expect(findJava()).rejects.toMatchObject({
    code: "EOS_JAVA_MISSING",
    message: expect.stringMatching(/neither JAVA_HOME nor PATH/),
    hint: expect.stringMatching(/Install Java 17/),
  });
});

test.each(["1.8.0_402", "11.0.22", "16"])("Java %s is too old, and the error says so.", async (version) => {
  await install("java", javaOf(version));
  await expect(findJava()).rejects.toMatchObject({
    code: "EOS_JAVA_MISSING",
    message: expect.stringMatching(/is Java \d+/),
  });
});

test.each(["17", "17.0.15", "21.0.1", "25-ea"])("Java %s is new enough.", async (version) => {
  await install("java", javaOf(version));
  await expect(findJava()).resolves.toBe(join(machine, "java"));
});

test("A java that only says that there is none (macOS) counts as none.", async () => {
  await install("java", "echo 'Unable to locate a Java Runtime' >&2; exit 1");
  await expect(findJava()).rejects.toMatchObject({ code: "EOS_JAVA_MISSING" });
});

test("With neither Java nor Docker the error lists the three ways.", async () => {
  const error = await resolveKafka().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: "EOS_BROKER_UNAVAILABLE", cause: { code: "EOS_JAVA_MISSING" } });
  expect(String(error)).toMatch(/1\. set KAFKA_BROKERS=[^]*2\. install Java 17[^]*3\. start Docker/);
});

test("With a Java but neither jars, Maven nor Docker the error says that Maven is missing.", async () => {
  await install("java", javaOf("17.0.15"));
  const error = await resolveKafka().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: "EOS_BROKER_UNAVAILABLE", cause: { code: "EOS_MAVEN_MISSING" } });
  expect(String(error)).toMatch(/no Maven on PATH/);
});

test("A Docker whose daemon does not answer is no Docker.", async () => {
  await install("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
  await expect(resolveKafka()).rejects.toMatchObject({ code: "EOS_BROKER_UNAVAILABLE" });
});

test("A download that fails shows Maven's words and leaves nothing that could pass for jars.", async () => {
  await install("java", javaOf("17.0.15"));
  await install("mvn", "echo '[ERROR] Could not transfer artifact'; exit 1");
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await expect(resolveKafka()).rejects.toMatchObject({
    code: "EOS_BROKER_START_FAILED",
    message: expect.stringMatching(/Could not transfer artifact/),
  });
  expect(await readdir(join(machine, "cache", "eos"))).toEqual([]);
});

test("Of two processes that download at once both get the jars, and one folder remains.", async () => {
  await install(
    "mvn",
    `for argument; do case $argument in -DoutputDirectory=*) : > "\${argument#*=}/some.jar";; esac; done`,
  );
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const first = await import("./jars.ts");
  vi.resetModules();
  const second = await import("./jars.ts");
  expect(second.kafkaJars).not.toBe(first.kafkaJars);
  const folder = join(machine, "cache", "eos", "kafka-4.3.1");
  expect(await Promise.all([first.kafkaJars(), second.kafkaJars(), second.kafkaJars()])).toEqual([
    folder,
    folder,
    folder,
  ]);
  expect(await readdir(join(machine, "cache", "eos"))).toEqual(["kafka-4.3.1"]);
  expect(await readdir(folder)).toEqual(["some.jar"]);
});

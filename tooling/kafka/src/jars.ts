import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BrokerError } from "./errors.ts";
import { findExecutable } from "./executable.ts";

/** The Apache Kafka that is started and whose tools are run; pom.xml names the same. */
export const KAFKA_VERSION = "4.3.1";

let pending: Promise<string> | undefined;

function jarFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "eos", `kafka-${KAFKA_VERSION}`);
}

async function hasKafkaJars(): Promise<boolean> {
  return access(jarFolder()).then(
    () => true,
    () => false,
  );
}

/**
 * The folder with Kafka's jars; the first call on a machine has Maven download them.
 * @throws BrokerError `EOS_MAVEN_MISSING`, `EOS_BROKER_START_FAILED`
 */
export async function kafkaJars(): Promise<string> {
  if (await hasKafkaJars()) return jarFolder();
  pending ??= downloadJars(jarFolder()).finally(() => {
    pending = undefined;
  });
  return pending;
}

async function downloadJars(folder: string): Promise<string> {
  const maven = await findExecutable("mvn");
  if (maven === undefined) {
    throw new BrokerError(`Kafka's jars are not in ${folder} yet, and there is no Maven on PATH to download them.`, {
      code: "EOS_MAVEN_MISSING",
      hint: "Install Maven (for example `apt-get install maven` or `brew install maven`), or set KAFKA_BROKERS to a cluster that runs.",
    });
  }
  process.stderr.write(`Downloading Apache Kafka ${KAFKA_VERSION} to ${folder} (once, about 60 MB) …\n`);
  await mkdir(join(folder, ".."), { recursive: true });
  // The folder gets its name only when it is whole: nobody can use a half-finished download, and of two processes
  // that download at once the first one to rename wins.
  const unfinished = await mkdtemp(`${folder}.unfinished-`);
  try {
    await runMaven(maven, unfinished);
    await rename(unfinished, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

async function runMaven(maven: string, outputDirectory: string): Promise<void> {
  const pom = join(import.meta.dirname, "..", "pom.xml");
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${outputDirectory}`];
  try {
    await promisify(execFile)(maven, ["-q", "-B", "-f", pom, ...goal], { maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const output = `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(0, 12).join("\n");
    throw new BrokerError(`Maven could not download Apache Kafka ${KAFKA_VERSION}:\n${output}`, {
      code: "EOS_BROKER_START_FAILED",
      hint: "Check that Maven reaches a repository (behind a proxy it needs one in ~/.m2/settings.xml), then try again.",
      cause: error,
    });
  }
}

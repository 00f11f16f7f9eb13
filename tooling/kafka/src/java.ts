import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { BrokerError } from "./errors.ts";
import { findExecutable, isExecutable } from "./executable.ts";
import { kafkaJars } from "./jars.ts";

const MINIMUM_JAVA = 17;
const HINT = `Install Java ${MINIMUM_JAVA} or newer (for example \`apt-get install openjdk-17-jre-headless\` or \`brew install openjdk\`), or point JAVA_HOME at one, or set KAFKA_BROKERS to a cluster that runs.`;

/** How a JVM for Kafka is started. */
export interface JvmOptions {
  /** Most heap, in megabytes. */
  readonly heapMegabytes: number;
  /** `'fast-start'` stops at the C1 compiler: up sooner, slower at full load. `'full'` lets C2 in, for benchmarks. */
  readonly jit: "fast-start" | "full";
  /** Where the JVM and its native libraries put their temporary files. */
  readonly temporaryDirectory: string;
  readonly logLevel: "INFO" | "WARN" | "ERROR";
}

/**
 * The path of a Java of version 17 or newer: `JAVA_HOME` first, then PATH.
 * @throws BrokerError `EOS_JAVA_MISSING`
 */
export async function findJava(): Promise<string> {
  const home = process.env["JAVA_HOME"];
  const atHome = home ? join(home, "bin", "java") : undefined;
  const java = atHome !== undefined && (await isExecutable(atHome)) ? atHome : await findExecutable("java");
  if (java === undefined) {
    throw new BrokerError("No Java: neither JAVA_HOME nor PATH has one.", { code: "EOS_JAVA_MISSING", hint: HINT });
  }
  const version = await javaVersion(java);
  if (version < MINIMUM_JAVA) {
    throw new BrokerError(`Kafka needs Java ${MINIMUM_JAVA} or newer, but ${java} is Java ${version}.`, {
      code: "EOS_JAVA_MISSING",
      hint: HINT,
    });
  }
  return java;
}

async function javaVersion(java: string): Promise<number> {
  try {
    const { stdout, stderr } = await promisify(execFile)(java, ["-XX:-UsePerfData", "-version"]);
    // Java 8 and older call themselves 1.8 and so on.
    const match = /version "(?:1\.)?(\d+)/.exec(stderr + stdout);
    if (match !== null) return Number(match[1]);
    throw new Error(`unexpected answer to -version: ${stderr}${stdout}`);
  } catch (cause) {
    // macOS has a /usr/bin/java that only says that there is no Java.
    throw new BrokerError(`${java} does not run.`, { code: "EOS_JAVA_MISSING", hint: HINT, cause });
  }
}

/** The arguments that make `java` run `mainClass` from Kafka's jars. */
export async function javaArguments(mainClass: string, options: JvmOptions): Promise<string[]> {
  const compiler = options.jit === "fast-start" ? ["-XX:TieredStopAtLevel=1"] : [];
  return [
    `-Xmx${options.heapMegabytes}m`,
    "-XX:+UseSerialGC",
    ...compiler,
    // Performance counters would stay behind in /tmp/hsperfdata_<user> after a SIGKILL.
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    `-Djava.io.tmpdir=${options.temporaryDirectory}`,
    "-Djava.awt.headless=true",
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, "..", "log4j2.xml")}`,
    `-Deos.log.level=${options.logLevel}`,
    "-cp",
    join(await kafkaJars(), "*"),
    mainClass,
  ];
}

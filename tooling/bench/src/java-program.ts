import { join } from "node:path";
import { buildJava } from "./peer-build.ts";
import type { Program } from "./rival.ts";

/** A Java program of peers/java. */
export function javaProgram(
  folder: string,
  mainClass: string,
  flags: readonly string[],
  args: readonly string[],
): Program {
  const classpath = `${join(folder, "classes")}:${join(folder, "lib", "*")}`;
  return {
    command: "java",
    args: [
      ...flags,
      "-XX:-UsePerfData",
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
      "-cp",
      classpath,
      `eos.bench.${mainClass}`,
      ...args,
    ],
  };
}

/** An instrument of the harness: compiled quickly, because it runs beside what is measured. */
export async function instrument(mainClass: string, args: readonly string[]): Promise<Program> {
  const flags = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  return javaProgram(await buildJava(), mainClass, flags, args);
}

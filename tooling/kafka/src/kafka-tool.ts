import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { BrokerError } from "./errors.ts";
import { spawnGuarded } from "./guarded-process.ts";
import { findJava, javaArguments } from "./java.ts";
import { END_PROCESSES, startWatchdog } from "./watchdog.ts";

const ERROR_BYTES_SHOWN = 4_096;

/** How a tool is run. */
export interface KafkaToolOptions {
  /** Given to the tool as `--bootstrap-server`. */
  readonly bootstrapServers?: string;
  /** Most heap, in megabytes. @default 256 */
  readonly heapMegabytes?: number;
}

/** A tool that runs. Read its output to the end, or `stop` it. */
export interface KafkaToolRun extends AsyncDisposable {
  /** What it writes to stdout, as bytes. Read either this or `lines`. */
  readonly stdout: Readable;
  /** What it writes to stdout, line by line (UTF-8). Ends when the tool ends. */
  readonly lines: AsyncIterable<string>;
  /**
   * Settles when the tool has ended: rejects with `EOS_KAFKA_TOOL_FAILED`, and the end of its stderr, unless it ended
   * with exit code 0 or by `stop`.
   */
  readonly ended: Promise<void>;
  /** Ends it by SIGTERM, on which Kafka's tools leave their group and flush, and waits for the end. */
  stop(): Promise<void>;
}

/**
 * Runs one of Kafka's own command-line tools from the broker's jars, for example
 * `org.apache.kafka.tools.consumer.ConsoleConsumer`. It ends with this process, also when that is killed.
 * @throws BrokerError `EOS_JAVA_MISSING`, `EOS_MAVEN_MISSING`
 */
export async function runKafkaTool(
  mainClass: string,
  args: readonly string[],
  options: KafkaToolOptions = {},
): Promise<KafkaToolRun> {
  const java = await findJava();
  const folder = await mkdtemp(join(tmpdir(), "eos-kafka-tool-"));
  const endWatchdog = startWatchdog(END_PROCESSES, [folder]);
  const home = join(folder, "tool");
  await mkdir(home);
  const launch = await javaArguments(mainClass, {
    heapMegabytes: options.heapMegabytes ?? 256,
    jit: "full",
    temporaryDirectory: home,
    logLevel: "ERROR",
  });
  const bootstrap = options.bootstrapServers === undefined ? [] : ["--bootstrap-server", options.bootstrapServers];
  // Header names are printed as text; in the C locale Java would turn what is not ASCII into question marks.
  const encoding = ["-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8"];
  const command = [java, ...encoding, ...launch, ...bootstrap, ...args];
  const { child, exited } = spawnGuarded(join(home, "pid"), command, ["ignore", "pipe", "pipe"]);
  child.ref();
  const stdout = child.stdout as Readable;
  const errorOutput = tail(child.stderr as Readable);

  let stopped = false;
  const ended = exited.then(async () => {
    await rm(folder, { recursive: true, force: true });
    await endWatchdog();
    if (stopped || child.exitCode === 0) return;
    throw new BrokerError(
      `${mainClass} ended with ${child.signalCode ?? `exit code ${child.exitCode}`}:\n${errorOutput()}`.trimEnd(),
      {
        code: "EOS_KAFKA_TOOL_FAILED",
        hint: "The lines above are the tool's own; `--help` as its argument lists what it takes.",
      },
    );
  });
  // Who only reads the lines need not handle the failure as well.
  ended.catch(() => {});

  const stop = async (): Promise<void> => {
    stopped = true;
    child.kill("SIGTERM");
    // A tool that waits for its output to be read would not end.
    if (stdout.readableFlowing === null) stdout.resume();
    await ended;
  };
  return {
    stdout,
    get lines() {
      return createInterface({ input: stdout, crlfDelay: Number.POSITIVE_INFINITY });
    },
    ended,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function tail(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-ERROR_BYTES_SHOWN);
  });
  return () => text;
}

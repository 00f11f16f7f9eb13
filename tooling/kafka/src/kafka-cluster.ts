import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { BrokerProcess, type KafkaNode } from "./broker-process.ts";
import { BrokerError } from "./errors.ts";
import { findJava, javaArguments, type JvmOptions } from "./java.ts";
import { assertFree, freePorts } from "./ports.ts";
import { type NodeAddress, serverProperties } from "./server-properties.ts";
import { END_PROCESSES, startWatchdog } from "./watchdog.ts";

/** How a cluster is started. */
export interface StartKafkaOptions {
  /** Brokers, each a controller too. @default 1 */
  readonly nodes?: 1 | 3;
  /** Entries of server.properties that win over the launcher's own. */
  readonly config?: Readonly<Record<string, string>>;
  /** Where the nodes' text logs (`node-<id>.log`) are written and stay. @default a folder that `stop` removes */
  readonly logDirectory?: string;
  /** The brokers' ports, one a node. @default free ones */
  readonly ports?: readonly number[];
  /** Most heap of each JVM, in megabytes. @default 384 */
  readonly heapMegabytes?: number;
  /** `'fast-start'` for tests, `'full'` (all compilers) for benchmarks. @default 'fast-start' */
  readonly jit?: "fast-start" | "full";
}

/** A cluster that somebody can connect to. */
export interface KafkaConnection extends AsyncDisposable {
  /** `host:port`, separated by commas. */
  readonly bootstrapServers: string;
  /** Where the cluster comes from. */
  readonly origin: "KAFKA_BROKERS" | "embedded" | "docker";
  /** Ends what was started for it and removes its data; does nothing to a cluster of `KAFKA_BROKERS`. */
  stop(): Promise<void>;
}

/** A cluster of this process: it ends with it, also when the process is killed. */
export interface KafkaCluster extends KafkaConnection {
  readonly origin: "embedded";
  readonly nodes: readonly KafkaNode[];
  /** The folder of the nodes' text logs. */
  readonly logDirectory: string;
}

const PORT_ATTEMPTS = 3;

/** Whether the cluster's nodes can be handled from here. */
export function isKafkaCluster(kafka: KafkaConnection): kafka is KafkaCluster {
  return kafka.origin === "embedded";
}

/**
 * Starts Apache Kafka (KRaft) from the cached jars and waits until all nodes answer and know each other.
 * @throws BrokerError `EOS_JAVA_MISSING`, `EOS_MAVEN_MISSING`, `EOS_PORT_IN_USE`, `EOS_BROKER_START_FAILED`
 */
export async function startKafka(options: StartKafkaOptions = {}): Promise<KafkaCluster> {
  const count = options.nodes ?? 1;
  if (options.ports !== undefined) {
    if (options.ports.length !== count) {
      throw new TypeError(`startKafka: ports must be ${count} (one a node), got ${options.ports.length}`);
    }
    await assertFree(options.ports);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options, await chooseAddresses(count, options.ports));
    } catch (error) {
      // Between the choice of a free port and the broker's bind somebody else may have taken it.
      const lostPort = error instanceof BrokerError && error.code === "EOS_PORT_IN_USE";
      if (!lostPort || options.ports !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function chooseAddresses(count: number, asked: readonly number[] | undefined): Promise<NodeAddress[]> {
  const free = await freePorts(count * 2);
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    port: asked?.[index] ?? (free[index] as number),
    controllerPort: free[count + index] as number,
  }));
}

async function startOnce(options: StartKafkaOptions, addresses: readonly NodeAddress[]): Promise<KafkaCluster> {
  const java = await findJava();
  const folder = await mkdtemp(join(tmpdir(), "eos-kafka-"));
  const endWatchdog = startWatchdog(END_PROCESSES, [folder]);
  const logDirectory = options.logDirectory === undefined ? join(folder, "logs") : resolve(options.logDirectory);
  const nodes: BrokerProcess[] = [];

  const stop = async (): Promise<void> => {
    // The data is removed anyway, so nobody needs a clean shutdown.
    await Promise.all(nodes.map((node) => node.kill()));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    await endWatchdog();
  };

  try {
    await mkdir(logDirectory, { recursive: true });
    const clusterId = newClusterId();
    const prepared = addresses.map((address) =>
      prepareNode(java, folder, logDirectory, clusterId, address, addresses, options),
    );
    nodes.push(...(await Promise.all(prepared)));
    await Promise.all(nodes.map((node) => node.launch()));
    await Promise.all(nodes.map((node) => node.ready(nodes.length)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    origin: "embedded",
    bootstrapServers: nodes.map(({ port }) => `127.0.0.1:${port}`).join(","),
    nodes,
    logDirectory,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function prepareNode(
  java: string,
  folder: string,
  logDirectory: string,
  clusterId: string,
  address: NodeAddress,
  addresses: readonly NodeAddress[],
  options: StartKafkaOptions,
): Promise<BrokerProcess> {
  const home = join(folder, `node-${address.id}`);
  const temporaryDirectory = join(home, "tmp");
  await mkdir(temporaryDirectory, { recursive: true });
  const propertiesFile = join(home, "server.properties");
  await writeFile(propertiesFile, serverProperties(address, addresses, join(home, "data"), options.config ?? {}));

  const jvm: JvmOptions = {
    heapMegabytes: options.heapMegabytes ?? 384,
    jit: options.jit ?? "fast-start",
    temporaryDirectory,
    logLevel: "INFO",
  };
  await formatStorage(java, clusterId, propertiesFile, jvm);
  return new BrokerProcess(address.id, address.port, {
    java,
    javaArguments: [...(await javaArguments("kafka.Kafka", jvm)), propertiesFile],
    logFile: join(logDirectory, `node-${address.id}.log`),
    pidFile: join(home, "pid"),
  });
}

async function formatStorage(java: string, clusterId: string, propertiesFile: string, jvm: JvmOptions): Promise<void> {
  const launch = await javaArguments("kafka.tools.StorageTool", { ...jvm, jit: "fast-start", logLevel: "WARN" });
  try {
    await promisify(execFile)(java, [...launch, "format", "-t", clusterId, "-c", propertiesFile]);
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new BrokerError(`Kafka could not format its data folder:\n${stdout ?? ""}${stderr ?? ""}`.trimEnd(), {
      code: "EOS_BROKER_START_FAILED",
      hint: "Most often a `config` entry is wrong: the lines above name it.",
      cause: error,
    });
  }
}

function newClusterId(): string {
  // A Kafka Uuid in base64url; the leading letter keeps it from looking like a command-line option.
  return `e${randomBytes(16).toString("base64url").slice(1)}`;
}

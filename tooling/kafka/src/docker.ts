import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { liveBrokers } from "./broker-probe.ts";
import { BrokerError } from "./errors.ts";
import { findExecutable } from "./executable.ts";
import { KAFKA_VERSION } from "./jars.ts";
import type { KafkaConnection, StartKafkaOptions } from "./kafka-cluster.ts";
import { assertFree, freePorts } from "./ports.ts";
import { testSettings } from "./server-properties.ts";
import { startWatchdog } from "./watchdog.ts";

// This way in has been written against the image's documentation but never been run: where the rest was tried there
// was no Docker daemon. The settings are those of compose.yaml.

const IMAGE = `apache/kafka:${KAFKA_VERSION}`;
const READY_WITHIN_MS = 120_000;
const PROBE_INTERVAL_MS = 200;
const REMOVE_CONTAINERS = 'network=$1; shift; docker rm -f -v "$@"; docker network rm "$network"';

/** Whether there is a Docker whose daemon answers. */
export async function hasDocker(): Promise<boolean> {
  const docker = await findExecutable("docker");
  return (
    docker !== undefined &&
    (await run(["info"]).then(
      () => true,
      () => false,
    ))
  );
}

/**
 * Starts the cluster in containers of `apache/kafka`. They are removed by `stop`, and when this process ends.
 * @throws BrokerError `EOS_PORT_IN_USE`, `EOS_BROKER_START_FAILED`
 */
export async function startKafkaInDocker(options: StartKafkaOptions): Promise<KafkaConnection> {
  const count = options.nodes ?? 1;
  if (options.ports !== undefined) await assertFree(options.ports);
  const ports = options.ports ?? (await freePorts(count));
  const network = `eos-kafka-${randomBytes(4).toString("hex")}`;
  const containers = ports.map((_, index) => `${network}-${index + 1}`);
  const removeContainers = startWatchdog(REMOVE_CONTAINERS, [network, ...containers]);
  try {
    await run(["network", "create", network]);
    await Promise.all(containers.map((_, index) => run(runArguments(network, containers, ports, index, options))));
    await Promise.all(ports.map((port, index) => untilReady(containers[index] as string, port, count)));
  } catch (error) {
    await removeContainers();
    throw error;
  }
  return {
    origin: "docker",
    bootstrapServers: ports.map((port) => `127.0.0.1:${port}`).join(","),
    stop: removeContainers,
    [Symbol.asyncDispose]: removeContainers,
  };
}

function runArguments(
  network: string,
  containers: readonly string[],
  ports: readonly number[],
  index: number,
  options: StartKafkaOptions,
): string[] {
  const container = containers[index] as string;
  const port = ports[index] as number;
  const settings: Record<string, string> = {
    ...testSettings(containers.length),
    "process.roles": "broker,controller",
    "node.id": String(index + 1),
    "controller.quorum.voters": containers.map((name, voter) => `${voter + 1}@${name}:9093`).join(","),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    // Brokers find each other by their names in the containers' network, clients by the port published on the host.
    listeners: `INTERNAL://:19092,CONTROLLER://:9093,EXTERNAL://:${port}`,
    "advertised.listeners": `INTERNAL://${container}:19092,EXTERNAL://127.0.0.1:${port}`,
    "listener.security.protocol.map": "INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT,EXTERNAL:PLAINTEXT",
    ...options.config,
  };
  const environment = Object.entries(settings).map(([name, value]) => `KAFKA_${variableName(name)}=${value}`);
  environment.push(`KAFKA_HEAP_OPTS=-Xmx${options.heapMegabytes ?? 384}m`);
  const launch = ["run", "-d", "--name", container, "--network", network, "-p", `127.0.0.1:${port}:${port}`];
  return [...launch, ...environment.flatMap((variable) => ["-e", variable]), IMAGE];
}

/** The image's spelling: `_` for a dot, `__` for an underscore, `___` for a dash. */
function variableName(setting: string): string {
  return setting.replaceAll("_", "__").replaceAll("-", "___").replaceAll(".", "_").toUpperCase();
}

async function untilReady(container: string, port: number, brokerCount: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const brokers = await liveBrokers(`127.0.0.1:${port}`, 2_000).catch((): number[] => []);
    if (brokers.length >= brokerCount) return;
    if (Date.now() > deadline) {
      const log = await run(["logs", "--tail", "25", container]).catch(String);
      throw startFailed(`The container ${container} was not ready within ${READY_WITHIN_MS / 1_000} s:\n${log}`);
    }
    await sleep(PROBE_INTERVAL_MS);
  }
}

async function run(args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)("docker", [...args]);
    return stdout + stderr;
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    throw startFailed(`\`docker ${args[0]}\` failed: ${stderr?.trim() ?? String(cause)}`, cause);
  }
}

function startFailed(message: string, cause?: unknown): BrokerError {
  return new BrokerError(message, {
    code: "EOS_BROKER_START_FAILED",
    hint: `Check that Docker runs and can pull ${IMAGE}; or install Java 17 and Maven, or set KAFKA_BROKERS.`,
    cause,
  });
}

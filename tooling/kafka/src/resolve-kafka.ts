import { liveBrokers } from "./broker-probe.ts";
import { hasDocker, startKafkaInDocker } from "./docker.ts";
import { BrokerError } from "./errors.ts";
import { findJava } from "./java.ts";
import { kafkaJars } from "./jars.ts";
import { type KafkaConnection, startKafka, type StartKafkaOptions } from "./kafka-cluster.ts";

const ANSWER_WITHIN_MS = 5_000;

/**
 * The cluster to work with: that of the environment variable `KAFKA_BROKERS` when it is set (`options` do not apply to
 * it then), otherwise one that is started here, see {@link startAnyKafka}.
 * @throws BrokerError `EOS_BROKER_UNAVAILABLE` when nobody answers at `KAFKA_BROKERS`, or no cluster can be started
 */
export async function resolveKafka(options: StartKafkaOptions = {}): Promise<KafkaConnection> {
  const brokers = process.env["KAFKA_BROKERS"];
  return brokers ? externalKafka(brokers) : startAnyKafka(options);
}

/**
 * Starts a cluster with what the machine has: Java 17+ (and Maven, unless Kafka's jars are cached), or else Docker.
 * @throws BrokerError `EOS_BROKER_UNAVAILABLE` when it has neither, and whatever {@link startKafka} throws
 */
export async function startAnyKafka(options: StartKafkaOptions = {}): Promise<KafkaConnection> {
  const missing = await missingForEmbedded();
  if (missing === undefined) return startKafka(options);
  if (await hasDocker()) return startKafkaInDocker(options);
  const ways = [
    `There is no Kafka to work with. ${missing.message} Docker does not answer either. Choose one of three ways:`,
    "  1. set KAFKA_BROKERS=host:port[,host:port] to a cluster that runs;",
    "  2. install Java 17 or newer and Maven: Kafka is then downloaded once and started here;",
    "  3. start Docker: apache/kafka is then run in it.",
  ];
  throw new BrokerError(ways.join("\n"), {
    code: "EOS_BROKER_UNAVAILABLE",
    hint: missing.hint,
    cause: missing,
  });
}

async function missingForEmbedded(): Promise<BrokerError | undefined> {
  try {
    await findJava();
    await kafkaJars();
    return undefined;
  } catch (error) {
    const isMissing = error instanceof BrokerError && /^EOS_(JAVA|MAVEN)_MISSING$/.test(error.code);
    if (isMissing) return error;
    throw error;
  }
}

async function externalKafka(bootstrapServers: string): Promise<KafkaConnection> {
  const failures: unknown[] = [];
  for (const address of bootstrapServers.split(",")) {
    try {
      await liveBrokers(address.trim(), ANSWER_WITHIN_MS);
      const stop = async (): Promise<void> => {};
      return { origin: "KAFKA_BROKERS", bootstrapServers, stop, [Symbol.asyncDispose]: stop };
    } catch (error) {
      failures.push(`${address.trim()}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new BrokerError(
    `KAFKA_BROKERS is set to ${bootstrapServers}, but no broker answers there.\n${failures.join("\n")}`,
    {
      code: "EOS_BROKER_UNAVAILABLE",
      hint: "Start that cluster (a PLAINTEXT listener is needed), correct KAFKA_BROKERS, or unset it to have a broker started here.",
    },
  );
}

import { EngineMismatchError, ConnectionError, ClientClosedError } from "../errors/errors.ts";
import type { ResolvedClientOptions } from "../options.ts";
import { checkBrokerVersions } from "../protocol/version-check.ts";
import { BrokerConnection } from "./broker-connection.ts";
import { connectError } from "./connect-errors.ts";
import { clusterFactory, loadKafkajs, type KafkajsCluster, type KafkajsModule } from "./internals.ts";
import { createLogBridge } from "./log-bridge.ts";
import { checkBroker, checkCluster, checkVersion } from "./self-check.ts";
import { repairTimers } from "./timer-repair.ts";

/** kafkajs' numeric level for everything: the logger decides. */
const LOG_EVERYTHING = 5;

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Opens connections to brokers: kafkajs' TCP, TLS and SASL, nothing else of it. */
export class Connections {
  readonly #options: ResolvedClientOptions;
  readonly #cluster: KafkajsCluster;
  readonly #secured: { readonly ssl: boolean; readonly sasl: boolean };

  /** @throws EngineMismatchError when the installed kafkajs is not 2.2.4 */
  constructor(options: ResolvedClientOptions) {
    this.#options = options;
    this.#secured = { ssl: options.ssl !== undefined, sasl: options.sasl !== undefined };
    this.#cluster = createKafkajsCluster(loadChecked(), options);
    checkCluster(this.#cluster);
  }

  /**
   * TCP, TLS, ApiVersions and SASL, all within `connectionTimeoutMs`.
   *
   * @throws ConnectionError, AuthenticationError, UnsupportedVersionError; ClientClosedError when the signal aborts
   */
  async open({ host, port }: BrokerAddress, signal: AbortSignal): Promise<BrokerConnection> {
    const address = formatAddress({ host, port });
    const { connectionTimeoutMs, requestTimeoutMs } = this.#options;
    const pool = await this.#cluster.connectionPoolBuilder.build({ host, port });
    const broker = this.#cluster.brokerPool.createBroker({
      connectionPool: pool,
      logger: this.#cluster.rootLogger,
    });
    checkBroker(pool, broker);
    const connection = pool.pool[0];
    if (connection === undefined) throw new EngineMismatchError("a connection pool without connections");
    repairTimers(connection.requestQueue);
    try {
      await interruptible(broker.connect(), connectionTimeoutMs, signal, () => {
        return new ConnectionError(`Cannot connect to ${address}: no answer within ${connectionTimeoutMs} ms`, {
          hint: "Is the address reachable from here, and does the listener expect the ssl and sasl settings given?",
        });
      });
      checkBrokerVersions(address, broker.versions ?? {});
    } catch (error) {
      const failure = connectError(address, this.#secured, error);
      // With an error, because kafkajs clears its connect timer on one only.
      connection.socket?.on("error", () => {}).destroy(failure);
      connection.requestQueue.rejectAll(failure);
      void connection.disconnect();
      throw failure;
    }
    return new BrokerConnection({ address, connection, secured: this.#secured, requestTimeoutMs });
  }
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: BrokerAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The other way round. */
export function parseAddress(address: string): BrokerAddress {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
}

function loadChecked(): KafkajsModule {
  let loaded: ReturnType<typeof loadKafkajs>;
  try {
    loaded = loadKafkajs();
  } catch (error) {
    throw new EngineMismatchError("none", error);
  }
  checkVersion(loaded.version);
  return loaded.module;
}

function createKafkajsCluster({ Kafka }: KafkajsModule, options: ResolvedClientOptions): KafkajsCluster {
  const { clientId, ssl, sasl, socketFactory, connectionTimeoutMs, requestTimeoutMs, logger } = options;
  const kafka = new Kafka({
    // Never used: every connection is opened by address.
    brokers: [],
    clientId,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: false,
    logLevel: LOG_EVERYTHING,
    logCreator: createLogBridge(logger),
    ...(ssl === undefined ? {} : { ssl }),
    // A copy, since kafkajs keeps its authenticator on this object.
    ...(sasl === undefined ? {} : { sasl: { ...sasl } }),
    ...(socketFactory === undefined ? {} : { socketFactory }),
  });
  const createCluster = clusterFactory(kafka);
  if (createCluster === undefined) throw new EngineMismatchError("a changed kafkajs (no private:Kafka:createCluster)");
  return createCluster({ allowAutoTopicCreation: false });
}

/** kafkajs has steps that nothing interrupts (a SASL provider of the user's, for one), so the promise is left behind. */
function interruptible(
  work: Promise<void>,
  timeoutMs: number,
  signal: AbortSignal,
  timeoutError: () => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => settle(() => reject(new ClientClosedError()));
    const timer = setTimeout(() => settle(() => reject(timeoutError())), timeoutMs);
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      outcome();
    };
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    work.then(
      () => settle(resolve),
      (error: Error) => settle(() => reject(error)),
    );
  });
}

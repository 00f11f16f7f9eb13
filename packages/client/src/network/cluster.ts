import { type Clock, EosError, systemClock } from "@eos/core";
import {
  brokerError,
  ClientClosedError,
  ConnectionError,
  isConnectionLoss,
  UnknownTopicError,
} from "../errors/errors.ts";
import { kafkaErrorClass } from "../errors/kafka-errors.ts";
import { Connections, formatAddress, parseAddress, type BrokerAddress } from "../kafkajs/connections.ts";
import type { ResolvedClientOptions } from "../options.ts";
import { apiVersions } from "../protocol/api-versions.ts";
import { findCoordinator, type CoordinatorKind } from "../protocol/find-coordinator.ts";
import { metadata } from "../protocol/metadata.ts";
import type { KafkaRequest, KafkaResponse } from "../protocol/request.ts";
import { BrokerConnections, type Lane } from "./broker-connections.ts";
import { CoordinatorCache } from "./coordinator-cache.ts";
import { MetadataCache, type TopicMetadata } from "./metadata-cache.ts";
import { MetadataRefresher } from "./metadata-refresher.ts";
import { Patience } from "./patience.ts";

const SOFTWARE = { name: "eos-client", version: "0" };
const TRANSACTION_VERSION_FEATURE = "transaction.version";

/** A topic that was just created reaches all brokers a moment later; one still unknown after this does not exist. */
const UNKNOWN_TOPIC_PATIENCE_MS = 1_000;

const UNKNOWN_TOPIC_OR_PARTITION = 3;

export interface ClusterOptions extends ResolvedClientOptions {
  readonly clock?: Clock;
}

/**
 * A Kafka cluster as one place to send requests to: knows its brokers, the leaders of topics and the coordinators of
 * groups and transactional ids. It repeats nothing that changes the cluster: that is for those who know what a repetition means.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #clock: Clock;
  readonly #connections: BrokerConnections;
  readonly #metadata = new MetadataCache();
  readonly #refresher: MetadataRefresher;
  readonly #coordinators = new CoordinatorCache();
  readonly #closed = new AbortController();
  #transactionVersion = 0;

  /** @throws EngineMismatchError when the installed kafkajs is not the one needed */
  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const connections = new Connections(options);
    this.#connections = new BrokerConnections({
      open: (address, signal) => connections.open(address, signal),
      clock: this.#clock,
      logger: options.logger,
      onLost: (address) => this.#forgetCoordinatorsAt(address),
    });
    this.#refresher = new MetadataRefresher((topics) => this.#fetchMetadata(topics));
  }

  /** Level of the feature `transaction.version`: 2 and above is KIP-890's transaction protocol. 0 before {@link connect}. */
  get transactionVersion(): number {
    return this.#transactionVersion;
  }

  get brokerCount(): number {
    return this.#metadata.brokerCount;
  }

  /** Node id of the controller as clients see it; −1 when there is none. */
  get controllerId(): number {
    return this.#metadata.controllerId;
  }

  /** @throws ConnectionError when no bootstrap broker answers; AuthenticationError, UnsupportedVersionError */
  async connect(): Promise<void> {
    const response = await this.sendToAny(apiVersions(SOFTWARE));
    if (response.errorCode !== 0) throw brokerError({ api: "ApiVersions", kafkaCode: response.errorCode });
    this.#transactionVersion = response.finalizedFeatures.get(TRANSACTION_VERSION_FEATURE) ?? 0;
    await this.refreshMetadata();
  }

  /** Rejects what is in flight with {@link ClientClosedError} and waits for nothing. May be called twice. */
  close(): Promise<void> {
    this.#closed.abort(new ClientClosedError());
    this.#connections.close();
    return Promise.resolve();
  }

  /**
   * Requests of one lane to one node leave in the order of the calls, once it is connected. The body's buffers must not
   * change before this settles.
   *
   * @throws ConnectionError, RequestTimeoutError (see {@link isConnectionLoss}): nobody knows whether the broker acted on it
   */
  async send<R extends KafkaResponse>(nodeId: number, request: KafkaRequest<R>, lane: Lane = "default"): Promise<R> {
    let address = this.#metadata.address(nodeId);
    if (address === undefined) {
      await this.refreshMetadata();
      address = this.#metadata.address(nodeId);
      if (address === undefined) throw new ConnectionError(`Node ${nodeId} is not in the cluster at present`);
    }
    return await this.#sendTo(address, request, lane);
  }

  /** To whichever broker answers: one that is connected, else any known, else a bootstrap broker. @throws ConnectionError when none does */
  async sendToAny<R extends KafkaResponse>(request: KafkaRequest<R>): Promise<R> {
    const tried = new Map<string, unknown>();
    for (const candidates of [() => this.#knownBrokers(), () => this.#bootstrapBrokers()]) {
      for (const broker of await candidates()) {
        if (tried.has(formatAddress(broker))) continue;
        try {
          return await this.#sendTo(broker, request, "default");
        } catch (error) {
          if (!isConnectionLoss(error)) throw error;
          tried.set(formatAddress(broker), error);
        }
      }
    }
    throw noBrokerAnswered(tried);
  }

  /** From the cache, or asked for. @throws UnknownTopicError, AuthorizationError, ConnectionError */
  async topic(name: string): Promise<TopicMetadata> {
    const cached = this.#metadata.topic(name);
    if (cached !== undefined) return cached;
    const patience = new Patience(this.#clock, UNKNOWN_TOPIC_PATIENCE_MS);
    for (;;) {
      await this.refreshMetadata([name]);
      const topic = this.#metadata.topic(name);
      if (topic !== undefined) return topic;
      const kafkaCode = this.#metadata.topicError(name);
      const unknown = kafkaCode === UNKNOWN_TOPIC_OR_PARTITION || kafkaCode === 0;
      const error = unknown ? new UnknownTopicError(name) : brokerError({ api: "Metadata", kafkaCode, topic: name });
      if (!unknown && kafkaErrorClass(kafkaCode) !== "refresh-metadata") throw error;
      await patience.pause(error, this.#closed.signal);
    }
  }

  cachedTopic(name: string): TopicMetadata | undefined {
    return this.#metadata.topic(name);
  }

  /** Names of all topics there are that this principal may describe, without Kafka's internal ones. @throws ConnectionError */
  async topicNames(): Promise<string[]> {
    const { topics } = await this.sendToAny(metadata(null));
    return topics.filter(({ errorCode, internal }) => errorCode === 0 && !internal).map(({ name }) => name);
  }

  /**
   * Calls at the same time share a request. A topic that does not exist is no error here: it is then not cached.
   *
   * @param topics - default: all that were ever asked for
   */
  async refreshMetadata(topics: readonly string[] = this.#metadata.topicNames): Promise<void> {
    await this.#refresher.refresh(topics);
  }

  /**
   * Node id of the coordinator, from the cache or asked for until the request timeout has passed.
   *
   * @throws BrokerError, AuthorizationError, ConnectionError
   */
  async coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    return await this.#coordinators.get(kind, key, () => this.#findCoordinator(kind, key));
  }

  /** After NOT_COORDINATOR and the like. A lost connection forgets its node's coordinators by itself. */
  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.forget(kind, key);
  }

  /** The coordinator has not answered for too long: gives up its connection, and what waits for it (Java's `markCoordinatorUnknown`). */
  suspectCoordinator(kind: CoordinatorKind, key: string): void {
    const nodeId = this.#coordinators.cached(kind, key);
    const address = nodeId === undefined ? undefined : this.#metadata.address(nodeId);
    if (address !== undefined) this.#connections.suspect(address);
    this.forgetCoordinator(kind, key);
  }

  async #sendTo<R extends KafkaResponse>(broker: BrokerAddress, request: KafkaRequest<R>, lane: Lane): Promise<R> {
    const connection = await this.#connections.get(broker, lane);
    return await connection.send(request);
  }

  async #fetchMetadata(topics: readonly string[]): Promise<void> {
    this.#metadata.apply(await this.sendToAny(metadata(topics)));
    this.#connections.retain(this.#metadata.addresses());
  }

  async #findCoordinator(kind: CoordinatorKind, key: string): Promise<number> {
    const patience = new Patience(this.#clock, this.#options.requestTimeoutMs);
    for (;;) {
      const { errorCode, errorMessage, nodeId, host, port } = await this.sendToAny(findCoordinator(kind, key));
      if (errorCode === 0) {
        this.#metadata.learnBroker(nodeId, { host, port });
        return nodeId;
      }
      const error = brokerError({
        api: "FindCoordinator",
        kafkaCode: errorCode,
        detail: errorMessage,
        ...(kind === "group" ? { groupId: key } : { transactionalId: key }),
      });
      if (error.kafkaClass !== "refind-coordinator") throw error;
      await patience.pause(error, this.#closed.signal);
    }
  }

  #knownBrokers(): BrokerAddress[] {
    const rank = (broker: BrokerAddress): number =>
      this.#connections.isConnected(broker) ? 0 : this.#connections.hasFailed(broker) ? 2 : 1;
    return this.#metadata.addresses().sort((a, b) => rank(a) - rank(b));
  }

  async #bootstrapBrokers(): Promise<BrokerAddress[]> {
    const { brokers } = this.#options;
    return (typeof brokers === "function" ? await brokers() : brokers).map(parseAddress);
  }

  #forgetCoordinatorsAt(address: string): void {
    for (const nodeId of this.#metadata.nodesAt(address)) this.#coordinators.forgetNode(nodeId);
  }
}

function noBrokerAnswered(tried: ReadonlyMap<string, unknown>): ConnectionError {
  const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  const each = [...tried].map(([address, error]) => `${address} (${messageOf(error)})`);
  const cause = [...tried.values()].at(-1);
  return new ConnectionError(`No broker answers: ${each.join("; ") || "the list of brokers is empty"}`, {
    hint:
      (EosError.is(cause) ? cause.hint : undefined) ??
      "Check the brokers option, and that their advertised listeners are reachable from here",
    cause,
  });
}

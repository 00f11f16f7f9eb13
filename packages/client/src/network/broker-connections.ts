import type { Clock, Logger } from "@eos/core";
import { ClientClosedError, ConnectionError } from "../errors/errors.ts";
import type { BrokerConnection } from "../kafkajs/broker-connection.ts";
import { formatAddress, type BrokerAddress } from "../kafkajs/connections.ts";
import { backoffMs } from "./backoff.ts";
import { SingleFlight } from "./single-flight.ts";

/**
 * Requests of one lane queue behind each other at the broker; `fetch` is for those it holds back on purpose, `leave` for
 * a LeaveGroup that must not wait behind a JoinGroup held on `default`.
 */
export type Lane = "default" | "fetch" | "leave";

/** Java's `reconnect.backoff.ms` and `reconnect.backoff.max.ms`. */
const RECONNECT_BACKOFF_MS = 50;
const RECONNECT_BACKOFF_MAX_MS = 1_000;

export interface BrokerConnectionsOptions {
  readonly open: (address: BrokerAddress, signal: AbortSignal) => Promise<BrokerConnection>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A connection was lost, or could not be made. */
  readonly onLost: (address: string) => void;
}

interface FailedAttempts {
  count: number;
  retryAtMs: number;
}

/**
 * The open connections: one per broker address and lane, made when first needed, made again when lost. Attempts at an
 * address that failed wait for a backoff; nobody waits for more than one attempt.
 */
export class BrokerConnections {
  readonly #options: BrokerConnectionsOptions;
  /** Those that requests may go to. */
  readonly #live = new Map<string, BrokerConnection>();
  /** Those that are not closed, retired ones too. */
  readonly #open = new Set<BrokerConnection>();
  readonly #opening = new SingleFlight<BrokerConnection>();
  /** By key, what ends an attempt to connect. */
  readonly #attempts = new Map<string, AbortController>();
  readonly #failed = new Map<string, FailedAttempts>();
  readonly #closed = new AbortController();

  constructor(options: BrokerConnectionsOptions) {
    this.#options = options;
  }

  /** @throws ConnectionError and what else opening throws; ClientClosedError */
  async get(broker: BrokerAddress, lane: Lane): Promise<BrokerConnection> {
    if (this.#closed.signal.aborted) throw new ClientClosedError();
    const address = formatAddress(broker);
    const key = keyOf(address, lane);
    const live = this.#live.get(key);
    if (live !== undefined && live.isConnected) return live;
    return await this.#opening.run(key, () => this.#connect(broker, address, key));
  }

  isConnected(broker: BrokerAddress): boolean {
    return this.#live.get(keyOf(formatAddress(broker), "default"))?.isConnected === true;
  }

  /** Whether the last attempt at this address failed. */
  hasFailed(broker: BrokerAddress): boolean {
    return this.#failed.has(formatAddress(broker));
  }

  /** Gives up what belongs to no broker of the cluster any more, once it has answered what it was asked. */
  retain(brokers: readonly BrokerAddress[]): void {
    const addresses = new Set(brokers.map(formatAddress));
    for (const [key, connection] of this.#live) {
      if (addresses.has(connection.address)) continue;
      this.#live.delete(key);
      connection.retire();
    }
  }

  /** Gives up the connection to a broker that does not answer, or the attempt to make one; until it does, others are asked first. */
  suspect(broker: BrokerAddress): void {
    const address = formatAddress(broker);
    const key = keyOf(address, "default");
    this.#attempts.get(key)?.abort();
    const connection = this.#live.get(key);
    if (connection === undefined) return;
    this.#attemptFailed(address, "it does not answer");
    connection.abandon();
  }

  close(): void {
    this.#closed.abort(new ClientClosedError());
    for (const attempt of this.#attempts.values()) attempt.abort();
    for (const connection of this.#open) connection.close();
  }

  async #connect(broker: BrokerAddress, address: string, key: string): Promise<BrokerConnection> {
    const { clock, logger, open, onLost } = this.#options;
    const { signal } = this.#closed;
    const waitMs = (this.#failed.get(address)?.retryAtMs ?? 0) - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    let connection: BrokerConnection;
    const attempt = new AbortController();
    this.#attempts.set(key, attempt);
    try {
      connection = await open(broker, attempt.signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const cause = attempt.signal.aborted ? new ConnectionError(`${address} does not answer`) : error;
      this.#attemptFailed(address, cause);
      throw cause;
    } finally {
      this.#attempts.delete(key);
    }
    // Closed while this one was on its way: nobody else would close it.
    if (signal.aborted) {
      connection.close();
      throw new ClientClosedError();
    }
    if (this.#failed.delete(address)) logger.info({ broker: address }, "Broker answers again");
    this.#open.add(connection);
    this.#live.set(key, connection);
    connection.onLost(() => {
      this.#open.delete(connection);
      if (this.#live.get(key) === connection) this.#live.delete(key);
      if (!signal.aborted) onLost(address);
    });
    return connection;
  }

  #attemptFailed(address: string, error: unknown): void {
    const { clock, logger, onLost } = this.#options;
    const count = this.#failed.get(address)?.count ?? 0;
    const waitMs = backoffMs(count, RECONNECT_BACKOFF_MS, RECONNECT_BACKOFF_MAX_MS);
    this.#failed.set(address, { count: count + 1, retryAtMs: clock.monotonicMs() + waitMs });
    // Once an outage, not once an attempt.
    if (count === 0)
      logger.warn(
        { broker: address, error: error instanceof Error ? error.message : String(error) },
        "Broker cannot be reached",
      );
    onLost(address);
  }
}

function keyOf(address: string, lane: Lane): string {
  return `${address}/${lane}`;
}
